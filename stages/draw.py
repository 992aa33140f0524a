"""Draw all pictures of one training run."""

from pathlib import Path

from ganvae.config import load_params
from ganvae.core import compute
from ganvae.core.paths import ProfilePaths
from ganvae.data.store import read_split
from ganvae.evaluation.measuring import check_measuring
from ganvae.evaluation.training_set import read_training_set
from ganvae.judge.network import FrozenJudge
from ganvae.pictures.run import draw_run
from ganvae.pipeline.stage import run_stage


def main(params_file: str, run: str) -> None:
    params = load_params(Path(params_file))
    check_measuring(params)
    paths = ProfilePaths(params.profile)
    judge = FrozenJudge(Path(params.judge), compute.use(params.compute))
    train = read_training_set(paths.split("train"), paths.train_features, judge)
    held_out = read_split(paths.split("validation"))
    draw_run(paths.run(run), held_out, train.images, params.evaluation.inversion, (judge, train))


if __name__ == "__main__":
    run_stage(main, __doc__, by_behaviour=True)

"""Draw what there is to see of one trained run."""

from pathlib import Path

from ganvae import compute
from ganvae.config import load_params
from ganvae.data.store import read_split
from ganvae.paths import ProfilePaths
from ganvae.report.pictures.run import draw_run
from ganvae.stage import run_stage


def main(params_file: str, run: str) -> None:
    params = load_params(Path(params_file))
    compute.use(params.compute)
    paths = ProfilePaths(params.profile)
    draw_run(paths.run(run), read_split(paths.split("validation")))


if __name__ == "__main__":
    run_stage(main, __doc__)

"""Embed the test split with the judge, once for all models."""

from pathlib import Path

from ganvae import compute
from ganvae.config import load_params
from ganvae.evaluation.reference import make_reference, write_reference
from ganvae.judge.network import FrozenJudge
from ganvae.paths import ProfilePaths
from ganvae.stage import run_stage


def main(params_file: str) -> None:
    params = load_params(Path(params_file))
    paths = ProfilePaths(params.profile)
    judge = FrozenJudge(Path(params.judge), compute.use(params.compute))
    write_reference(paths.reference, make_reference(paths.split("test"), judge))


if __name__ == "__main__":
    run_stage(main, __doc__)

"""Embed the test split with the judge, once for all models."""

from pathlib import Path

from ganvae.config import load_params
from ganvae.evaluation.reference import make_reference, write_reference
from ganvae.paths import ProfilePaths
from ganvae.stage import run_stage


def main(params_file: str) -> None:
    params = load_params(Path(params_file))
    paths = ProfilePaths(params.profile)
    write_reference(paths.reference, make_reference(paths.split("test"), Path(params.judge)))


if __name__ == "__main__":
    run_stage(main, __doc__)

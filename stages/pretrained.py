"""Publish one trained run of each model, small enough for git."""

from pathlib import Path

from ganvae.config import load_params
from ganvae.pretrained import publish
from ganvae.stage import run_stage


def main(params_file: str) -> None:
    for path in publish(load_params(Path(params_file))):
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    run_stage(main, __doc__, by_behaviour=True)

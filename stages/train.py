"""Perform one training run of the profile: train one variant from one random seed."""

from pathlib import Path

from ganvae.config import load_params
from ganvae.pipeline.stage import run_stage
from ganvae.training.runs import train_run


def main(params_file: str, run: str) -> None:
    result = train_run(load_params(Path(params_file)), run)
    reason = f" ({result.reason})" if result.reason else ""
    print(f"{run}: {result.status}{reason} after {result.steps} steps, {result.seconds:.1f} s")


if __name__ == "__main__":
    run_stage(main, __doc__, by_behaviour=True)

"""Estimate the log-likelihood of test images under one training run."""

from pathlib import Path

from ganvae.config import load_params
from ganvae.evaluation.annealed import anneal_run
from ganvae.pipeline.stage import run_stage


def main(params_file: str, run: str) -> None:
    params = load_params(Path(params_file))
    record = anneal_run(params, run)
    if record.reason:
        print(f"{run}: no log-likelihood: {record.reason}")
        return
    print(
        f"{run}: log-likelihood {record.mean:.1f} ± {record.standard_error:.1f} nats, gap of the "
        f"bounds {record.gap:.1f} nats, variance {record.variance}"
    )


if __name__ == "__main__":
    run_stage(main, __doc__, by_behaviour=True)

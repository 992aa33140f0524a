"""Toy records of log-likelihoods."""

from typing import Any

from ganvae.scores.annealed import LikelihoodRecord


def annealed(variant: str, seed: int = 0, mean: float = 600.0, **changes: Any) -> LikelihoodRecord:
    values: dict[str, Any] = {
        "variant": variant,
        "seed": seed,
        "prior": "normal",
        "dataset": "mnist",
        "weights_sha256": "a" * 64,
        "data_sha256": "b" * 64,
        "variance": 0.02,
        "candidates": [(0.005, 400.0), (0.01, 500.0), (0.02, 600.0), (0.05, 300.0)],
        "mean": mean,
        "standard_error": 3.0,
        "gap": 1.0,
        "gap_standard_error": 0.2,
        "images": 100,
        "simulated": 20,
        "chains": 16,
        "distributions": 1000,
        "leapfrog_steps": 10,
        "annealing_seed": 0,
        "cpu_seconds": 60.0,
    }
    return LikelihoodRecord(**values | changes)


def without_density(variant: str, reason: str, seed: int = 0) -> LikelihoodRecord:
    return LikelihoodRecord(
        variant=variant,
        seed=seed,
        prior="normal",
        dataset="mnist",
        weights_sha256="a" * 64,
        data_sha256="b" * 64,
        reason=reason,
    )

"""Combinations of the options of VAEs, for tests over several of them."""

from typing import Any

MIXTURE = {"prior": "mixture", "prior_components": 3}
SECOND_STAGE = {"prior": "second-stage", "second_stage_width": 6, "second_stage_steps": 5}
LEARNED = {"likelihood": "gaussian", "gaussian_variance": "learned"}
COMBINATIONS: dict[str, dict[str, Any]] = {
    "mixture, warm-up, free bits": {
        **MIXTURE,
        "kl_warmup": 0.6,
        "free_bits": 0.05,
        "beta": 1.3,
        "learning_rate_decay": "linear",
        "ema": 0.8,
        "output_scale": 1.5,
        "binarize": "dynamic",
        "likelihood": "bernoulli",
    },
    "second stage, learned variance": {
        **SECOND_STAGE,
        **LEARNED,
        "kl_warmup": 1.0,
        "norm": "batch",
        "free_bits": 0.1,
        "learning_rate_decay": "linear",
        "ema": 0.8,
        "ema_warmup": True,
    },
    "importance samples, learned variance, mixture": {
        **MIXTURE,
        **LEARNED,
        "kl_warmup": 0.3,
        "importance_samples": 3,
    },
    "second stage without average": {**SECOND_STAGE, "output_scale": 0.8},
}
"""Every option of `VAEConfig` is set at least once."""

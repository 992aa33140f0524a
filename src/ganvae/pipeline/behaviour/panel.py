"""List the parameters to try in training: each option of each system is set at least once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ganvae.core.compute import Precision
from ganvae.models.base import ImageShape

GREY, COLOUR = (1, 12, 12), (3, 16, 12)
"""The shapes of the small images, C x H x W. All systems accept images of these heights and widths.

Small images save time, because these training runs spend most of their time on writing pictures.
"""

STEPS = {"unit": "steps", "length": 4, "report_every": 2, "sample_every": 4, "checkpoint_every": 3}
LONGER = {**STEPS, "length": 8}  # until D and G have each been ahead
EPOCHS = {
    "unit": "epochs",
    "length": 2,
    "report_every": 1,
    "sample_every": 2,
    "checkpoint_every": 1,
    "marks": [0, 1],
}


@dataclass(frozen=True)
class Entry:
    """The settings of one short training run.

    Attributes:
        parameters: the system's parameters.
        shape: the shape of the images, C x H x W.
        precision: the precision of the networks.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    shape: ImageShape = GREY
    precision: Precision = "fp32"


INTERRUPTED = {
    "unit": "steps",
    "length": 8,
    "report_every": 4,
    "sample_every": 8,
    "checkpoint_every": 3,
}
DEFAULTS = Entry(
    {
        "schedule": INTERRUPTED,
        "batch_size": 12,
        "learning_rate_decay": "linear",
        "ema": 0.8,
    },
    shape=(1, 28, 28),
)
"""A training run that uses every part of a checkpoint; all other parameters have their defaults.

This training run is stopped after its first report, which comes after its first checkpoint. A new
process then resumes the training run from this checkpoint.
"""

SMALL: dict[str, dict[str, Any]] = {
    "balanced-gan": {
        "latent_size": 5,
        "generator_channels": [4, 4, 3, 2],
        "discriminator_channels": [3, 4, 5],
        "discriminator_features": 6,
    },
    "bernoulli-vae": {"latent_size": 5, "hidden": [12, 9]},
    "conv-vae": {"latent_size": 5, "channels": [3, 4]},
    "dcgan": {
        "latent_size": 5,
        "generator_channels": [4, 3],
        "discriminator_channels": [3, 4],
    },
    "keras-dcgan": {
        "latent_size": 5,
        "generator_channels": [4, 4, 3, 2],
        "discriminator_channels": [3, 4, 5, 6],
    },
    "vae-gan": {"latent_size": 5, "channels": [3, 4], "discriminator_channels": [3, 4]},
    "vanilla-gan": {"encoding_dims": 5, "hidden": [12, 9]},
}
"""A mapping from system to small layer widths, for fast training. Others have defaults."""

COMMON: dict[str, dict[str, Any]] = {
    "decay": {"learning_rate_decay": "linear"},
    "staged decay": {"learning_rate_decay": "staged"},
    "average": {"ema": 0.8},
    "warmed-up average": {"ema": 0.2, "ema_warmup": True},  # is reached in the last step
    "static": {"binarize": "static"},
    "dynamic": {"binarize": "dynamic"},
    "rates": {"learning_rate": 0.003},
    "epochs": {"schedule": EPOCHS},
    "output scale": {"output_scale": 1.5},
}
ADVERSARIAL: dict[str, dict[str, Any]] = {
    "turns": {"balance": {"d_steps": 2, "g_steps": 3}},
    "rule": {
        "schedule": LONGER,
        "learning_rate": 0.1,
        "balance": {"learning_rate_ratio": 10.0, "ratio": 1.0},
    },
    "rule, D slower": {
        "schedule": LONGER,
        "learning_rate": 0.1,
        "balance": {"learning_rate_ratio": 3.0, "ratio": 1.0},
    },
    "no rule": {"balance": {"ratio": "off"}},
}
ADAM: dict[str, dict[str, Any]] = {"betas": {"beta_1": 0.4, "beta_2": 0.95}}
FITTED: dict[str, dict[str, Any]] = {
    "mixture": {"prior": "mixture", "prior_components": 3},
    "second stage": {
        "prior": "second-stage",
        "second_stage_width": 6,
        "second_stage_steps": 5,
    },
}
VARIATIONAL: dict[str, dict[str, Any]] = {
    **ADAM,
    **FITTED,
    "beta": {"beta": 0.3},
    "importance weighted": {"importance_samples": 3},
    "warm-up": {"kl_warmup": 0.6},
    "warm-up, importance weighted": {"kl_warmup": 0.6, "importance_samples": 3},
    "free bits": {"free_bits": 0.02},
    "norm": {"norm": "batch"},
    "learned variance": {"likelihood": "gaussian", "gaussian_variance": "learned"},
}
NO_RULE = {"balance": {"ratio": "off"}}
SAMPLING: dict[str, Any] = {"truncation": 0.6, "rejection": 40.0}
FREE: dict[str, dict[str, Any]] = {
    "hinge": {**NO_RULE, "loss": "hinge"},
    "critic": {**NO_RULE, "loss": "wgan-gp", "gradient_penalty": 3.0},
    "pairs": {**NO_RULE, "loss": "relativistic", "r2": 0.7, "penalty_share": 0.5},
    "packs": {"packing": 5},
    "spectral norm": {"spectral_norm": True},
    "sampling": SAMPLING,
    "averaged, sampling": {**SAMPLING, "ema": 0.8, "spectral_norm": True},
}
"""Options of every GAN that the hybrid does not have."""

OWN: dict[str, dict[str, dict[str, Any]]] = {
    "balanced-gan": ADVERSARIAL
    | ADAM
    | {
        name: options | {"discriminator_norm": "none"} if name in ("critic", "pairs") else options
        for name, options in FREE.items()
    }
    | {
        "dropout": {"dropout": 0.6},
        "minimax": {**NO_RULE, "loss": "minimax", "generator_norm": "none"},
        "penalty": {"r1": 2.0, "discriminator_norm": "none"},
        "prior": {"prior": "uniform"},
    },
    "bernoulli-vae": VARIATIONAL
    | {
        "gaussian": {"likelihood": "gaussian"},
        "start": {"activation": "tanh", "output_bias": "pixel-means"},
        "normalised tanh": {"activation": "tanh", "norm": "batch"},
    },
    "conv-vae": VARIATIONAL | {"bernoulli": {"likelihood": "bernoulli"}},
    "dcgan": ADVERSARIAL
    | ADAM
    | FREE
    | {
        "penalty": {"r1": 2.0},
        "penalty of some": {"r1": 2.0, "penalty_share": 0.3},
        "no norm": {"generator_norm": "none"},
        "minimax": {"loss": "minimax"},
        "norm of D": {"discriminator_norm": "batch"},
        "prior": {"prior": "uniform"},
    },
    "keras-dcgan": ADVERSARIAL
    | FREE
    | {
        "minimax": {"loss": "minimax", "generator_norm": "none"},
        "penalty": {"r1": 2.0},
        "prior": {"prior": "normal"},
        "decays": {"discriminator_decay": 0.1, "generator_decay": 0.2},
        "optimizer": {"rho": 0.8, "epsilon": 1e-4},
        "geometry": {"discriminator_strides": [1, 2, 2, 2], "kernel": 3},
        "slope": {"negative_slope": 0.1, "dropout": 0.2},
    },
    "vae-gan": ADVERSARIAL
    | ADAM
    | FITTED
    | {"weights": {"adversarial_weight": 2.0, "real_target": 0.7}},
    "vanilla-gan": ADVERSARIAL
    | ADAM
    | FREE
    | {
        "minimax": {"loss": "minimax"},
        "penalty": {"r1": 2.0},
        "prior": {"prior": "normal"},
        "slope": {"negative_slope": 0.1},
        "tanh": {"activation": "tanh"},
        "sizes": {"hidden": {"generator": [7], "discriminator": [6, 5]}},
    },
}


TOGETHER = {"learning_rate_decay": "linear", "ema": 0.8, "learning_rate": 0.003}
OWN_TOGETHER: dict[str, dict[str, Any]] = {
    "bernoulli-vae": {"binarize": "dynamic", "beta": 1.3},
    "conv-vae": {"binarize": "dynamic", "likelihood": "bernoulli"},
    "dcgan": {"r1": 2.0, "penalty_share": 0.3, "generator_norm": "none", "beta_2": 0.99},
}
"""Combinations of options by system, because real training runs combine options."""


def panel(system: str) -> dict[str, Entry]:
    """Return the settings of a system's short training runs, by name, without `DEFAULTS`."""
    small = {"schedule": STEPS, "batch_size": 10, **SMALL.get(system, {})}
    options = {**COMMON, **OWN.get(system, {})}
    tried = {name: Entry(small | parameters) for name, parameters in options.items()}
    tried["bf16"] = Entry(small, precision="bf16")
    together = {**TOGETHER, **OWN_TOGETHER.get(system, {})}
    tried["bf16, options together"] = Entry(small | together, precision="bf16")
    tried["colour"] = Entry(small, shape=COLOUR)
    return tried

"""Combinations of the options of GANs, for tests that run over all of them."""

from typing import Any

GANS = ("balanced-gan", "dcgan", "keras-dcgan", "vanilla-gan")

COMBINATIONS: dict[str, dict[str, Any]] = {
    "hinge": {"loss": "hinge", "spectral_norm": True, "truncation": 0.7},
    "critic": {"loss": "wgan-gp", "gradient_penalty": 3.0, "penalty_share": 0.5},
    "pairs": {"loss": "relativistic", "r1": 0.5, "r2": 0.25, "spectral_norm": True},
    "packs": {"packing": 4, "r1": 0.5, "r2": 0.7, "generator_norm": "none"},
    "rejection": {"rejection": 60.0, "spectral_norm": True, "truncation": 0.8},
}
"""Options by name of the combination. `changes` adds what a system needs to allow them."""

CANCELS = ("hinge", "critic", "pairs")
"""Combinations in which adding a constant to all logits does not change D's loss.

In ``hinge``, this holds as long as all logits lie between -1 and 1.
"""


def changes(system: str, combination: str) -> dict[str, Any]:
    """The parameters that turn a combination of options on in a system."""
    options = COMBINATIONS[combination] | {"balance": {"ratio": "off"}}
    if system == "vanilla-gan":
        options.pop("generator_norm", None)
    if system == "balanced-gan" and combination in ("critic", "pairs", "packs"):
        options["discriminator_norm"] = "none"
    return options

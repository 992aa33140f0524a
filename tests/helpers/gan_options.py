"""Combinations of the options of GANs, for tests that run over all of them."""

from typing import Any

GANS = ("balanced-gan", "dcgan", "keras-dcgan", "vanilla-gan")

COMBINATIONS: dict[str, dict[str, Any]] = {
    "hinge": {"loss": "hinge"},
    "critic": {"loss": "wgan-gp", "gradient_penalty": 3.0, "penalty_share": 0.5},
    "pairs": {"loss": "relativistic", "r1": 0.5, "r2": 0.25},
}
"""Options by name of the combination. `changes` adds what a system needs to allow them."""

CANCELS = ("hinge", "critic", "pairs")
"""Combinations in which adding a constant to all logits does not change D's loss.

In ``hinge``, this holds as long as all logits lie between -1 and 1.
"""


def changes(system: str, combination: str) -> dict[str, Any]:
    """The parameters that turn a combination of options on in a system."""
    options = COMBINATIONS[combination] | {"balance": {"ratio": "off"}}
    if system == "balanced-gan" and combination in ("critic", "pairs"):
        options["discriminator_norm"] = "none"
    return options

"""The balance between discriminator and generator: how often, how fast and when each learns."""

import math
from typing import Any, NamedTuple

import torch
from pydantic import PositiveFloat, PositiveInt, field_validator
from torch import Tensor, nn

from ganvae.config import Section


class BalanceConfig(Section):
    """Parameters that decide which of D and G gets ahead; every GAN has such a section.

    ``d_steps`` of D are taken for every ``g_steps`` of G, D with ``learning_rate_ratio`` times
    G's learning rate (Heusel et al., 1706.08500). ``ratio`` is that of the balance rule
    (`skipped`), null where there is none; ``off`` and ``.inf`` say the same.
    """

    d_steps: PositiveInt = 1
    g_steps: PositiveInt = 1
    learning_rate_ratio: PositiveFloat = 1.0
    ratio: PositiveFloat | None = None

    @field_validator("ratio", mode="before")
    @classmethod
    def _off(cls, value: Any) -> Any:
        return None if value in ("off", math.inf) else value


class Turns(NamedTuple):
    """Who learns in a training step."""

    discriminator: bool
    generator: bool


def skipped(d_loss: float, g_loss: float, ratio: float) -> Turns:
    """The balance rule: whose update is left out because it is too far ahead.

    G's where ``g_loss * ratio < d_loss``, D's where ``d_loss * ratio < g_loss``. With a ratio
    below 1 both can hold; then neither is left out, or nothing would ever change again.
    """
    d_ahead = d_loss * ratio < g_loss
    g_ahead = g_loss * ratio < d_loss
    return Turns(d_ahead and not g_ahead, g_ahead and not d_ahead)


class Balance(nn.Module):
    """A GAN's policy. Its state, the last losses of both, is part of the model's checkpoint.

    A network whose update is left out has its loss evaluated all the same, so the rule never
    looks at an old one.
    """

    losses: Tensor

    def __init__(self, config: BalanceConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("losses", torch.zeros(2))  # equal: both learn in the first step

    def learning_rates(self, learning_rate: float) -> tuple[float, float]:
        """D's and G's, where ``learning_rate`` is G's."""
        return learning_rate * self.config.learning_rate_ratio, learning_rate

    def turns(self) -> Turns:
        """Who learns in the next training step."""
        if self.config.ratio is None:  # and the device is not waited for
            return Turns(True, True)
        d_loss, g_loss = self.losses.tolist()
        d_skipped, g_skipped = skipped(d_loss, g_loss, self.config.ratio)
        return Turns(not d_skipped, not g_skipped)

    def record(self, turns: Turns, d_loss: Tensor, g_loss: Tensor) -> dict[str, Tensor]:
        """Keep a step's losses for the next one's decision.

        Returns what to log of the decision: under a rule, whether each side was left out (0 or
        1; averaged between two reports it is the share of steps), else nothing.
        """
        self.losses.copy_(torch.stack([d_loss, g_loss]))
        if self.config.ratio is None:
            return {}
        return {
            "d_skipped": self.losses.new_tensor(not turns.discriminator),
            "g_skipped": self.losses.new_tensor(not turns.generator),
        }

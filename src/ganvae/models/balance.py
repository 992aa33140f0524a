"""The balance between a GAN's discriminator (D) and generator (G).

This module decides how often D and G learn, how fast, and in which training steps.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from pydantic import PositiveFloat, PositiveInt, field_validator
from torch import Tensor, nn

from ganvae.config import Section


class BalanceConfig(Section):
    """Parameters of the balance between D and G, a section of every GAN's parameters.

    One training step takes ``d_steps`` steps of D, then ``g_steps`` steps of G. The learning rate
    of D is ``learning_rate_ratio`` times the learning rate of G (Heusel et al., 1706.08500).
    ``ratio`` is the threshold of the balance rule (the function `turns`). Null, ``off`` and
    ``.inf`` turn this rule off.
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
    """Two flags for one training step: whether D learns, and whether G learns."""

    discriminator: bool
    generator: bool


def turns(d_loss: float, g_loss: float, ratio: float) -> Turns:
    """Apply the balance rule: a network does not learn while its loss is much the smaller one.

    G does not learn if ``g_loss * ratio < d_loss``. D does not learn if ``d_loss * ratio <
    g_loss``. With a ratio below 1 both conditions can hold. Then both networks learn, because
    otherwise no loss would ever change again.
    """
    d_ahead = d_loss * ratio < g_loss
    g_ahead = g_loss * ratio < d_loss
    if d_ahead and g_ahead:
        return Turns(True, True)
    return Turns(discriminator=not d_ahead, generator=not g_ahead)


class Balance(nn.Module):
    """The balance policy of a GAN. The buffer ``losses`` has the last losses of D and G.

    The buffer is part of the model's weights, so checkpoints include it. The loss of a network that
    does not learn is computed too, so the balance rule always compares current losses. The rule
    compares mean losses per image. At the equilibrium, where D cannot tell real from generated
    images, both means are log 2.

    ``d_terms`` is the number of mean losses that D adds up. The rule divides D's loss by this
    number.
    """

    losses: Tensor

    def __init__(self, config: BalanceConfig, d_terms: int) -> None:
        super().__init__()
        self.config = config
        self.d_terms = d_terms
        self.register_buffer("losses", torch.zeros(2))  # equal losses, so both learn first

    def learning_rates(self, learning_rate: float) -> tuple[float, float]:
        """Return the learning rate of D, then the learning rate of G.

        ``learning_rate`` is the learning rate of G.
        """
        return learning_rate * self.config.learning_rate_ratio, learning_rate

    def step(
        self,
        images: Tensor,
        d_step: Callable[[Tensor, bool], dict[str, Tensor]],
        g_step: Callable[[bool], dict[str, Tensor]],
    ) -> dict[str, Tensor]:
        """Take one training step: first the steps of D, then the steps of G.

        Each step of D uses its own part of the real images.

        Args:
            images: the real images of this training step.
            d_step: a function that takes one step of D. Its arguments are real images and a flag
                that says whether D learns. The function returns the losses of D by name, detached.
            g_step: a function that takes one step of G. Its argument is a flag that says whether G
                learns. The function returns the losses of G by name, detached.

        Returns:
            The losses of D's last step and of G's last step, by name. With the balance rule also
            ``d_skipped`` and ``g_skipped``: 1 if the network did not learn in this step, else 0.
        """
        turn = self.turns()
        for real in images.chunk(self.config.d_steps):
            d_losses = d_step(real, turn.discriminator)
        for _ in range(self.config.g_steps):
            g_losses = g_step(turn.generator)
        if self.config.ratio is None:
            return d_losses | g_losses
        adversarial = [loss for name, loss in d_losses.items() if name.startswith("d_loss")]
        d_mean = torch.stack(adversarial).sum() / self.d_terms
        self.losses.copy_(torch.stack([d_mean, g_losses["g_loss"]]))
        skips = {
            "d_skipped": self.losses.new_tensor(not turn.discriminator),
            "g_skipped": self.losses.new_tensor(not turn.generator),
        }
        return d_losses | g_losses | skips

    def turns(self) -> Turns:
        """Return whether D learns and whether G learns in the next training step."""
        if self.config.ratio is None:  # returns early, without waiting for the device
            return Turns(True, True)
        d_loss, g_loss = self.losses.tolist()
        return turns(d_loss, g_loss, self.config.ratio)

"""The balance between discriminator and generator: how often, how fast and when each learns.

D is the discriminator, G the generator.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from pydantic import PositiveFloat, PositiveInt, field_validator
from torch import Tensor, nn

from ganvae.config import Section


class BalanceConfig(Section):
    """Parameters that decide whether D or G gets ahead; every GAN has this section.

    One training step takes ``d_steps`` steps of D, then ``g_steps`` steps of G. D's learning rate
    is ``learning_rate_ratio`` times G's (Heusel et al., 1706.08500). ``ratio`` is the threshold
    of the balance rule (`turns`). Null, ``off`` and ``.inf`` all turn the rule off.
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
    """Which networks learn in a training step."""

    discriminator: bool
    generator: bool


def turns(d_loss: float, g_loss: float, ratio: float) -> Turns:
    """Apply the balance rule: a network that is too far ahead does not learn.

    G does not learn if ``g_loss * ratio < d_loss``. D does not learn if ``d_loss * ratio <
    g_loss``. With a ratio below 1 both conditions can hold. Then both networks learn; otherwise
    training would stand still from there on.
    """
    d_ahead = d_loss * ratio < g_loss
    g_ahead = g_loss * ratio < d_loss
    if d_ahead and g_ahead:
        return Turns(True, True)
    return Turns(discriminator=not d_ahead, generator=not g_ahead)


class Balance(nn.Module):
    """The balance policy of a GAN. Its state is the last loss of each network.

    The state is saved in the model's checkpoint. The loss of a network that does not learn is
    evaluated too, so the rule always compares current losses. It compares means per image. At
    the equilibrium, where D cannot tell real from generated images, both means are log 2.
    ``d_terms`` is the number of such means that D's losses add up to.
    """

    losses: Tensor

    def __init__(self, config: BalanceConfig, d_terms: int) -> None:
        super().__init__()
        self.config = config
        self.d_terms = d_terms
        self.register_buffer("losses", torch.zeros(2))  # equal losses, so both learn first

    def learning_rates(self, learning_rate: float) -> tuple[float, float]:
        """The learning rates of D and of G, in this order. ``learning_rate`` is G's."""
        return learning_rate * self.config.learning_rate_ratio, learning_rate

    def step(
        self,
        images: Tensor,
        d_step: Callable[[Tensor, bool], dict[str, Tensor]],
        g_step: Callable[[bool], dict[str, Tensor]],
    ) -> dict[str, Tensor]:
        """Take one training step: first D's steps, each on its own part of the images, then G's.

        Args:
            images: real images.
            d_step: takes real images and whether D learns. Returns D's losses, detached.
            g_step: takes whether G learns. Returns G's losses, detached.

        Returns:
            The losses of the last step of each network, by name. With the balance rule also
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
        """Which networks learn in the next training step."""
        if self.config.ratio is None:  # returns early, without waiting for the device
            return Turns(True, True)
        d_loss, g_loss = self.losses.tolist()
        return turns(d_loss, g_loss, self.config.ratio)

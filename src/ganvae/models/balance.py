"""The balance between discriminator and generator: how often, how fast and when each learns."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from pydantic import PositiveFloat, PositiveInt, field_validator
from torch import Tensor, nn

from ganvae.config import Section


class BalanceConfig(Section):
    """Parameters that decide which of D and G gets ahead; every GAN has such a section.

    ``d_steps`` of D are taken for every ``g_steps`` of G, D with ``learning_rate_ratio`` times
    G's learning rate (Heusel et al., 1706.08500). ``ratio`` is that of the balance rule
    (`turns`), null where there is none; ``off`` and ``.inf`` say the same.
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


def turns(d_loss: float, g_loss: float, ratio: float) -> Turns:
    """The balance rule: whoever is too far ahead does not learn.

    G does not where ``g_loss * ratio < d_loss``, D does not where ``d_loss * ratio < g_loss``.
    With a ratio below 1 both can hold; then both learn, or nothing would ever change again.
    """
    d_ahead = d_loss * ratio < g_loss
    g_ahead = g_loss * ratio < d_loss
    if d_ahead and g_ahead:
        return Turns(True, True)
    return Turns(discriminator=not d_ahead, generator=not g_ahead)


class Balance(nn.Module):
    """A GAN's policy. Its state, the last losses of both, is part of the model's checkpoint.

    A network that does not learn has its loss evaluated all the same, so the rule never looks at
    an old one. It compares means an image, so that at the equilibrium, where D cannot tell,
    both are log 2: ``d_terms`` is how many such means D's losses add up to.
    """

    losses: Tensor

    def __init__(self, config: BalanceConfig, d_terms: int) -> None:
        super().__init__()
        self.config = config
        self.d_terms = d_terms
        self.register_buffer("losses", torch.zeros(2))  # equal: both learn in the first step

    def learning_rates(self, learning_rate: float) -> tuple[float, float]:
        """D's and G's, where ``learning_rate`` is G's."""
        return learning_rate * self.config.learning_rate_ratio, learning_rate

    def step(
        self,
        images: Tensor,
        d_step: Callable[[Tensor, bool], dict[str, Tensor]],
        g_step: Callable[[bool], dict[str, Tensor]],
    ) -> dict[str, Tensor]:
        """Take one training step: D's steps, each on its part of the images, then G's.

        Args:
            images: real images.
            d_step, g_step: are told whether the network learns, and return its losses, detached.

        Returns:
            The losses of the last step of each network. With the balance rule also ``d_skipped``
            and ``g_skipped``, 1 if the network sat this step out, otherwise 0.
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
        """Who learns in the next training step."""
        if self.config.ratio is None:  # and the device is not waited for
            return Turns(True, True)
        d_loss, g_loss = self.losses.tolist()
        return turns(d_loss, g_loss, self.config.ratio)

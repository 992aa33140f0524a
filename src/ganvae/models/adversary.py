"""Base classes of all models with a generator (G) and a discriminator (D)."""

from abc import abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar

import torch
from pydantic import Field, PositiveFloat
from torch import Tensor, nn

from ganvae.config import LogitModelConfig
from ganvae.models.balance import Balance, BalanceConfig
from ganvae.models.base import ImageShape, LogitModel, Optimizers, descend, frozen


class GANConfig(LogitModelConfig):
    """Parameters of every model with a generator and a discriminator.

    ``learning_rate`` is the learning rate of G. ``balance.learning_rate_ratio`` times this rate is
    the learning rate of D.
    """

    batch_size: int = Field(128, ge=2)
    learning_rate: PositiveFloat = 2e-4
    balance: BalanceConfig = BalanceConfig()

    @property
    def real_images_per_d_step(self) -> int:
        """The number of real images in a D step."""
        return self.batch_size

    @property
    def real_images_per_step(self) -> int:
        """The number of real images in a training step. Each D step takes its own images."""
        return self.balance.d_steps * self.real_images_per_d_step


class AdamGANConfig(GANConfig):
    """Parameters of a model that trains with Adam. Adam's defaults come from 1511.06434."""

    beta_1: float = Field(0.5, ge=0, lt=1)
    beta_2: float = Field(0.999, ge=0, lt=1)


class Adversary(LogitModel):
    """A model with a generator G and a discriminator D. Each training step trains D, then G.

    A D step does not change G, and a G step does not change D.
    """

    d_loss_terms: ClassVar[int] = 1
    """The number of means that D's cross-entropy adds up.

    If the loss is one mean over real and generated images, the number is 1. If the loss is the mean
    over real images plus the mean over generated images, the number is 2.
    """

    config: GANConfig
    generator: nn.Module
    discriminator: nn.Module

    def __init__(self, config: GANConfig, image_shape: ImageShape) -> None:
        super().__init__()
        self.config = config
        self.image_shape = image_shape
        self.balance = Balance(config.balance, self.d_loss_terms)
        self.real_images_per_step = config.real_images_per_step

    @abstractmethod
    def discriminator_losses(
        self, real: Tensor, latents: Tensor, random: torch.Generator
    ) -> dict[str, Tensor]:
        """Compute D's losses, without gradients for G. D minimises their sum.

        Args:
            real: contract images (float32, N x C x H x W, in [0, 1]).
            latents: draws from the prior, from which G generates the images for D.
            random: the random generator for all other random numbers of the losses.

        Returns:
            The losses by name. The balance rule uses the losses whose names start with ``d_loss``.
        """

    @abstractmethod
    def generator_step(
        self, images: Tensor, optimizers: Optimizers, random: torch.Generator, learns: bool
    ) -> dict[str, Tensor]:
        """Take one G step. Return the losses of G by name, detached. The names include ``g_loss``.

        Args:
            images: all real images of this training step.
            random: the random generator that draws the latents.
            learns: False if the balance rule excludes G from this step.
        """

    def decode_logits(self, latents: Tensor) -> Tensor:
        logits: Tensor = self.generator(latents)
        return logits

    def train_step(
        self, images: Tensor, optimizers: Optimizers, generator: torch.Generator
    ) -> dict[str, Tensor]:
        return self.balance.step(
            images,
            lambda real, learns: self._discriminator_step(real, optimizers, generator, learns),
            lambda learns: self.generator_step(images, optimizers, generator, learns),
        )

    def _discriminator_step(
        self, real: Tensor, optimizers: Optimizers, random: torch.Generator, learns: bool
    ) -> dict[str, Tensor]:
        latents = self.sample_prior(len(real), random)
        with frozen(self.generator), learning(self.discriminator, learns):
            losses = self.discriminator_losses(real, latents, random)
            if learns:
                descend(torch.stack(list(losses.values())).sum(), optimizers["discriminator"])
        return detached(losses)


def merged(discriminator: nn.Module, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Compute D's logits of real images and D's logits of generated images in one forward pass.

    If no layer of D mixes the images of a batch, one pass gives the same logits as two passes.
    """
    real_logits, fake_logits = discriminator(torch.cat([real, fake])).split([len(real), len(fake)])
    return real_logits, fake_logits


def detached(losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the losses without their gradient graphs, by the same names."""
    return {name: loss.detach() for name, loss in losses.items()}


def learning(network: nn.Module, learns: bool) -> AbstractContextManager[None]:
    """Return a context manager that freezes ``network``, or does nothing if the network learns."""
    return nullcontext() if learns else frozen(network)

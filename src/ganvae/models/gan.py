"""What all models with a generator and a discriminator share."""

from abc import abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar

import torch
from pydantic import Field, PositiveFloat
from torch import Tensor, nn
from torch.optim import Optimizer

from ganvae.config import ModelConfig
from ganvae.models.balance import Balance, BalanceConfig
from ganvae.models.base import Family, GenerativeModel, ImageShape, Optimizers, descend, frozen
from ganvae.models.losses import real_or_fake_loss
from ganvae.models.optimizers import adam


class GANConfig(ModelConfig):
    """``learning_rate`` is G's, and D's too unless ``balance`` says otherwise."""

    batch_size: int = Field(128, ge=2)
    learning_rate: PositiveFloat = 2e-4
    balance: BalanceConfig = BalanceConfig()


class AdamGANConfig(GANConfig):
    """Adam, by default as in 1511.06434."""

    beta_1: float = Field(0.5, ge=0, lt=1)
    beta_2: float = Field(0.999, ge=0, lt=1)


class Adversary(GenerativeModel):
    """A model with a generator G and a discriminator D, trained in turns.

    In a D step nothing in G changes, in a G step nothing in D.
    """

    d_loss_terms: ClassVar[int] = 1
    """1 if D's loss is a mean over real and generated images, 2 if it is the sum of both means."""

    config: GANConfig
    generator: nn.Module
    discriminator: nn.Module

    def __init__(self, config: GANConfig, image_shape: ImageShape) -> None:
        super().__init__()
        self.config = config
        self.image_shape = image_shape
        self.balance = Balance(config.balance, self.d_loss_terms)
        self.real_images_per_step = config.balance.d_steps * config.batch_size

    @abstractmethod
    def discriminator_losses(self, real: Tensor, latents: Tensor) -> dict[str, Tensor]:
        """D's losses, without gradients for G. D minimises their sum.

        Args:
            real: contract images.
            latents: from the prior; G's images of them are D's fakes.

        Returns:
            By name. The balance rule compares those whose name begins with ``d_loss``.
        """

    @abstractmethod
    def generator_step(
        self, images: Tensor, optimizers: Optimizers, random: torch.Generator, learns: bool
    ) -> dict[str, Tensor]:
        """Take one G step and return its losses, detached; ``g_loss`` is among them.

        Args:
            images: all real images of this training step.
            random: gives the latents.
            learns: False if the balance rule makes G sit this step out.
        """

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
            losses = self.discriminator_losses(real, latents)
            if learns:
                descend(torch.stack(list(losses.values())).sum(), optimizers["discriminator"])
        return detached(losses)


class AdversarialModel(Adversary):
    """A GAN. A subclass gives the networks, the prior, both losses and the optimizers."""

    family: ClassVar[Family] = "gan"

    @abstractmethod
    def generator_loss(self, latents: Tensor) -> Tensor:
        """G's loss on its images of the latents."""

    def generator_step(
        self, images: Tensor, optimizers: Optimizers, random: torch.Generator, learns: bool
    ) -> dict[str, Tensor]:
        latents = self.sample_prior(self.config.batch_size, random)
        with frozen(self.discriminator), learning(self.generator, learns):
            loss = self.generator_loss(latents)
            if learns:
                descend(loss, optimizers["generator"])
        return {"g_loss": loss.detach()}


class AdamGAN(AdversarialModel):
    """A GAN whose networks are both trained by Adam."""

    config: AdamGANConfig

    def optimizers(self) -> dict[str, Optimizer]:
        betas = self.config.beta_1, self.config.beta_2
        d_rate, g_rate = self.balance.learning_rates(self.config.learning_rate)
        return {
            "discriminator": adam(self.discriminator, d_rate, *betas),
            "generator": adam(self.generator, g_rate, *betas),
        }


def merged(discriminator: nn.Module, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """D's logits of real and generated images, from one pass over both.

    The same as two passes if no layer of D mixes the images of a batch.
    """
    real_logits, fake_logits = discriminator(torch.cat([real, fake])).split([len(real), len(fake)])
    return real_logits, fake_logits


def real_and_fake_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-(E log D(x) + E log(1 - D(G(z)))) / 2: the mean over a batch that holds as many of both."""
    return (real_or_fake_loss(real_logits, 1.0) + real_or_fake_loss(fake_logits, 0.0)) / 2


def detached(losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """The values alone."""
    return {name: loss.detach() for name, loss in losses.items()}


def learning(network: nn.Module, learns: bool) -> AbstractContextManager[None]:
    """Freeze the network inside the block unless it learns."""
    return nullcontext() if learns else frozen(network)

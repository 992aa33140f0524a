"""What all models with a generator and a discriminator share."""

from abc import abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar

import torch
from pydantic import Field, PositiveFloat
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganvae.config import ModelConfig
from ganvae.models.balance import Balance, BalanceConfig
from ganvae.models.base import Family, GenerativeModel, ImageShape, Optimizers, descend, frozen


class GANConfig(ModelConfig):
    """``learning_rate`` is G's, and D's too unless ``balance`` says otherwise."""

    batch_size: int = Field(128, ge=2)
    learning_rate: PositiveFloat = 2e-4
    balance: BalanceConfig = BalanceConfig()


class AdamGANConfig(GANConfig):
    """Adam as in 1511.06434."""

    beta_1: float = Field(0.5, ge=0, lt=1)


class AdversarialModel(GenerativeModel):
    """A GAN: a subclass gives the networks, the prior, the two losses and the optimizers.

    In a D step nothing of G changes, in a G step nothing of D; each network is stepped by the
    gradient of its own loss alone.
    """

    family: ClassVar[Family] = "gan"

    d_loss_terms: ClassVar[int] = 1
    """1 if D's loss is a mean over real and generated images, 2 if it adds up their means."""

    generator: nn.Module
    discriminator: nn.Module

    def __init__(self, config: GANConfig, image_shape: ImageShape) -> None:
        super().__init__()
        self.config = config
        self.image_shape = image_shape
        self.balance = Balance(config.balance, self.d_loss_terms)
        self.real_images_per_step = config.balance.d_steps * config.batch_size

    @abstractmethod
    def discriminator_loss(self, real: Tensor, latents: Tensor) -> Tensor:
        """D's loss on contract images and on what G makes of the latents; none for G."""

    @abstractmethod
    def generator_loss(self, latents: Tensor) -> Tensor:
        """G's loss on what it makes of the latents."""

    def train_step(
        self, images: Tensor, optimizers: Optimizers, generator: torch.Generator
    ) -> dict[str, Tensor]:
        def d_step(real: Tensor, turn: bool) -> dict[str, Tensor]:
            latents = self.sample_prior(len(real), generator)
            with frozen(self.generator), learning(self.discriminator, turn):
                loss = self.discriminator_loss(real, latents)
                if turn:
                    descend(loss, optimizers["discriminator"])
            return {"d_loss": loss.detach()}

        def g_step(turn: bool) -> dict[str, Tensor]:
            latents = self.sample_prior(self.config.batch_size, generator)
            with frozen(self.discriminator), learning(self.generator, turn):
                loss = self.generator_loss(latents)
                if turn:
                    descend(loss, optimizers["generator"])
            return {"g_loss": loss.detach()}

        return self.balance.play(images, d_step, g_step)


class AdamGAN(AdversarialModel):
    """A GAN whose networks are both trained by Adam."""

    config: AdamGANConfig

    def optimizers(self) -> dict[str, Optimizer]:
        betas = self.config.beta_1, 0.999
        d_rate, g_rate = self.balance.learning_rates(self.config.learning_rate)
        return {
            "discriminator": Adam(self.discriminator.parameters(), d_rate, betas),
            "generator": Adam(self.generator.parameters(), g_rate, betas),
        }


def learning(network: nn.Module, turn: bool) -> AbstractContextManager[None]:
    """Leave the network open to learning if it is its turn; else nothing changes it."""
    return nullcontext() if turn else frozen(network)

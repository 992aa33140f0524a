"""What all models with a generator and a discriminator share."""

from abc import abstractmethod
from typing import ClassVar

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganvae.config import ModelConfig
from ganvae.models.base import Family, GenerativeModel, Optimizers, descend, frozen


class GANConfig(ModelConfig):
    """Batch size and Adam as in 1511.06434; ``d_steps`` of D for every ``g_steps`` of G."""

    batch_size: int = Field(128, ge=2)
    learning_rate: PositiveFloat = 2e-4
    beta_1: float = Field(0.5, ge=0, lt=1)
    d_steps: PositiveInt = 1
    g_steps: PositiveInt = 1


class AdversarialModel(GenerativeModel):
    """A GAN: a subclass gives the networks, the prior and the two losses.

    In a D step G gets no gradient, in a G step D gets none; each network is stepped by the
    gradient of its own loss alone.
    """

    family: ClassVar[Family] = "gan"

    config: GANConfig
    generator: nn.Module
    discriminator: nn.Module

    @abstractmethod
    def discriminator_loss(self, real: Tensor, latents: Tensor) -> Tensor:
        """D's loss on contract images and on what G makes of the latents; none for G."""

    @abstractmethod
    def generator_loss(self, latents: Tensor) -> Tensor:
        """G's loss on what it makes of the latents."""

    def optimizers(self) -> dict[str, Optimizer]:
        betas = (self.config.beta_1, 0.999)
        return {
            name: Adam(network.parameters(), self.config.learning_rate, betas)
            for name, network in (
                ("discriminator", self.discriminator),
                ("generator", self.generator),
            )
        }

    def train_step(
        self, images: Tensor, optimizers: Optimizers, generator: torch.Generator
    ) -> dict[str, Tensor]:
        for real in images.chunk(self.config.d_steps):
            latents = self.sample_prior(len(real), generator)
            d_loss = descend(self.discriminator_loss(real, latents), optimizers["discriminator"])
        for _ in range(self.config.g_steps):
            latents = self.sample_prior(self.config.batch_size, generator)
            with frozen(self.discriminator):
                g_loss = descend(self.generator_loss(latents), optimizers["generator"])
        return {"d_loss": d_loss, "g_loss": g_loss}

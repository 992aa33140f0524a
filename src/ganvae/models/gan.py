"""What all models with a generator and a discriminator share."""

from abc import abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar, Protocol

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
    def discriminator_losses(self, real: Tensor, latents: Tensor) -> dict[str, Tensor]:
        """D's losses on contract images and on what G makes of the latents; none for G.

        D descends their sum. Those whose names begin with ``d_loss`` are its adversarial ones,
        which the balance rule looks at.
        """

    @abstractmethod
    def generator_loss(self, latents: Tensor) -> Tensor:
        """G's loss on what it makes of the latents."""

    def train_step(
        self, images: Tensor, optimizers: Optimizers, generator: torch.Generator
    ) -> dict[str, Tensor]:
        def d_step(real: Tensor, turn: bool) -> dict[str, Tensor]:
            return discriminator_step(
                self, real, self.sample_prior(len(real), generator), optimizers, turn
            )

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
        betas = self.config.beta_1, self.config.beta_2
        d_rate, g_rate = self.balance.learning_rates(self.config.learning_rate)
        return {
            "discriminator": adam(self.discriminator, d_rate, *betas),
            "generator": adam(self.generator, g_rate, *betas),
        }


class Adversary(Protocol):
    """A model with a discriminator that learns from real images and latents."""

    @property
    def generator(self) -> nn.Module: ...
    @property
    def discriminator(self) -> nn.Module: ...
    def discriminator_losses(self, real: Tensor, latents: Tensor) -> dict[str, Tensor]: ...


def discriminator_step(
    model: Adversary, real: Tensor, latents: Tensor, optimizers: Optimizers, turn: bool
) -> dict[str, Tensor]:
    """D's losses; if it is its turn D takes a step down their sum. Nothing of G changes."""
    with frozen(model.generator), learning(model.discriminator, turn):
        losses = model.discriminator_losses(real, latents)
        if turn:
            descend(torch.stack(list(losses.values())).sum(), optimizers["discriminator"])
    return detached(losses)


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


def learning(network: nn.Module, turn: bool) -> AbstractContextManager[None]:
    """Leave the network open to learning if it is its turn; else nothing changes it."""
    return nullcontext() if turn else frozen(network)

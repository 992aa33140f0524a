"""Convolutional GAN on images scaled to [-1, 1] (after Radford et al., 1511.06434; widths ours)."""

from typing import ClassVar, Literal, Self

import torch
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn

from ganvae.config import Schedule
from ganvae.models.base import ImageShape
from ganvae.models.gan import AdamGAN, AdamGANConfig
from ganvae.models.layers import strided_discriminator, undoubled_side, upsampling
from ganvae.models.losses import GENERATOR_LOSSES, real_or_fake_loss
from ganvae.models.priors import standard_normal


class DCGANConfig(AdamGANConfig):
    """Parameters. Each entry of ``generator_channels`` doubles the size once, from the base up;
    each entry of ``discriminator_channels`` halves it once.
    """

    schedule: Schedule = Schedule(
        unit="epochs", length=90, report_every=10, sample_every=30, checkpoint_every=20
    )
    latent_size: PositiveInt = 100
    generator_channels: list[PositiveInt] = Field([128, 64], min_length=1)
    discriminator_channels: list[PositiveInt] = Field([64, 128], min_length=1)
    generator_loss: Literal["non-saturating", "minimax"] = "non-saturating"

    @model_validator(mode="after")
    def _rule_needs_losses_above_zero(self) -> Self:
        if self.generator_loss == "minimax" and self.balance.ratio is not None:
            raise ValueError(
                "generator_loss minimax is below zero, which the balance rule cannot compare: "
                "set balance.ratio to off, or generator_loss to non-saturating"
            )
        return self


class DCGAN(AdamGAN):
    """Dense + transposed-convolutional generator ending in tanh, convolutional discriminator.

    L_D = -E log D(x) - E log(1 - D(G(z))); L_G by name (`ganvae.models.losses`). Inside, images
    live in [-1, 1]; they are converted here and nowhere else.
    """

    name: ClassVar[str] = "dcgan"
    source: ClassVar[str] = "convolutional GAN, after Radford et al. 2015 (1511.06434)"
    config_class = DCGANConfig
    d_loss_terms: ClassVar[int] = 2

    config: DCGANConfig

    def __init__(self, config: DCGANConfig, image_shape: ImageShape) -> None:
        super().__init__(config, image_shape)
        channels, height, width = image_shape
        base, *_ = widths = [*config.generator_channels, channels]
        base_height = undoubled_side(height, len(widths) - 1, "height")
        base_width = undoubled_side(width, len(widths) - 1, "width")
        self.generator = nn.Sequential(
            nn.Linear(config.latent_size, base * base_height * base_width, bias=False),
            nn.Unflatten(1, (base, base_height, base_width)),
            nn.BatchNorm2d(base),
            nn.ReLU(),
            upsampling(widths),
        )
        self.discriminator = strided_discriminator(image_shape, config.discriminator_channels)

    def discriminator_loss(self, real: Tensor, latents: Tensor) -> Tensor:
        with torch.no_grad():
            fake = self._generate_signed(latents)
        # No layer of D mixes images, so one merged pass equals two.
        real_logits, fake_logits = self.discriminator(torch.cat([real * 2 - 1, fake])).chunk(2)
        return real_or_fake_loss(real_logits, 1.0) + real_or_fake_loss(fake_logits, 0.0)

    def generator_loss(self, latents: Tensor) -> Tensor:
        loss = GENERATOR_LOSSES[self.config.generator_loss]
        return loss(self.discriminator(self._generate_signed(latents)))

    def sample_prior(self, n: int, generator: torch.Generator) -> Tensor:
        return standard_normal(n, self.config.latent_size, generator)

    def generate(self, latents: Tensor) -> Tensor:
        return (self._generate_signed(latents) + 1) / 2

    def _generate_signed(self, latents: Tensor) -> Tensor:
        return torch.tanh(self.generator(latents))

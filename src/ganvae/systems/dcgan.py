"""Convolutional GAN on images scaled to [-1, 1] (after Radford et al., 1511.06434; widths ours)."""

from typing import ClassVar, Literal

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from ganvae.config import Schedule
from ganvae.models.base import ImageShape
from ganvae.models.gan import AdversarialModel, GANConfig
from ganvae.models.layers import downsampling, halved_side, leaky_relu, undoubled_side, upsampling
from ganvae.models.losses import GENERATOR_LOSSES, real_or_fake_loss
from ganvae.models.priors import standard_normal


class DCGANConfig(GANConfig):
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


class DCGAN(AdversarialModel):
    """Dense + transposed-convolutional generator ending in tanh, convolutional discriminator.

    L_D = -E log D(x) - E log(1 - D(G(z))); L_G by name (`ganvae.models.losses`). Inside, images
    live in [-1, 1]; they are converted here and nowhere else.
    """

    name: ClassVar[str] = "dcgan"
    source: ClassVar[str] = "convolutional GAN, after Radford et al. 2015 (1511.06434)"
    config_class = DCGANConfig

    def __init__(self, config: DCGANConfig, image_shape: ImageShape) -> None:
        super().__init__()
        self.config: DCGANConfig = config
        self.image_shape = image_shape
        self.real_images_per_step = config.d_steps * config.batch_size
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
        widths = [channels, *config.discriminator_channels]
        top_height = halved_side(height, len(widths) - 1, "height")
        top_width = halved_side(width, len(widths) - 1, "width")
        self.discriminator = nn.Sequential(
            downsampling(widths, leaky_relu),
            nn.Flatten(),
            nn.Linear(widths[-1] * top_height * top_width, 1),
        )

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

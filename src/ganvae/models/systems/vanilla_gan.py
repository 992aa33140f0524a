"""Fully connected GAN (Goodfellow et al., 1406.2661). The default hidden layers are our choice."""

from functools import partial
from math import prod
from typing import Any, ClassVar

import torch
from pydantic import Field, PositiveInt, field_validator
from torch import Tensor, nn

from ganvae.config import Schedule, Section
from ganvae.models.base import ImageShape
from ganvae.models.gan import AdamGAN, AdamGANConfig, merged, real_and_fake_loss
from ganvae.models.layers import mlp
from ganvae.models.losses import non_saturating_loss
from ganvae.models.priors import uniform


class HiddenSizes(Section):
    """The sizes of the hidden layers of each network, from input to output."""

    generator: list[PositiveInt] = Field(min_length=1)
    discriminator: list[PositiveInt] = Field(min_length=1)


class VanillaGANConfig(AdamGANConfig):
    """Parameters of the system vanilla-gan.

    ``batch_size`` must be even, because a batch of the discriminator has equally many real images
    and generated images. ``hidden`` may also be a single list of sizes for both networks.
    """

    schedule: Schedule = Schedule(
        unit="epochs", length=400, report_every=1, sample_every=10, checkpoint_every=10
    )
    batch_size: int = Field(128, ge=2, multiple_of=2)
    encoding_dims: PositiveInt = 100
    negative_slope: float = Field(0.2, ge=0, lt=1)
    hidden: HiddenSizes = HiddenSizes(generator=[256, 512, 1024], discriminator=[512, 256])

    @field_validator("hidden", mode="before")
    @classmethod
    def _one_list_for_both(cls, value: Any) -> Any:
        return {"generator": value, "discriminator": value} if isinstance(value, list) else value


class VanillaGAN(AdamGAN):
    """A GAN with a dense generator G, a dense discriminator D and latents from U[-1, 1].

    With a batch size of B, a D step uses one merged batch: B/2 real images labelled 1, and B/2
    generated images labelled 0. A G step draws B latents and trains G towards label 1. A G step
    does not change D.
    """

    name: ClassVar[str] = "vanilla-gan"
    source: ClassVar[str] = "fully connected GAN, Goodfellow et al. 2014 (1406.2661)"
    config_class = VanillaGANConfig

    config: VanillaGANConfig

    def __init__(self, config: VanillaGANConfig, image_shape: ImageShape) -> None:
        super().__init__(config, image_shape)
        self.real_images_per_step = config.balance.d_steps * config.batch_size // 2
        pixels = prod(image_shape)
        activation = partial(nn.LeakyReLU, config.negative_slope)
        self.generator = mlp([config.encoding_dims, *config.hidden.generator, pixels], activation)
        self.discriminator = nn.Sequential(
            nn.Flatten(), mlp([pixels, *config.hidden.discriminator, 1], activation)
        )

    def discriminator_losses(self, real: Tensor, latents: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            fake = self.generate(latents)
        return {"d_loss": real_and_fake_loss(*merged(self.discriminator, real, fake))}

    def generator_loss(self, latents: Tensor) -> Tensor:
        return non_saturating_loss(self.discriminator(self.generate(latents)))

    def sample_prior(self, n: int, generator: torch.Generator) -> Tensor:
        return uniform(n, self.config.encoding_dims, generator)

    def decode_logits(self, latents: Tensor) -> Tensor:
        return super().decode_logits(latents).unflatten(1, self.image_shape)

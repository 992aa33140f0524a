"""Convolutional GAN on images scaled to [-1, 1] (after Radford et al., 1511.06434).

The layer widths are our choice.
"""

from typing import Any, ClassVar

import torch
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn

from ganvae.config import Schedule
from ganvae.models.base import ImageShape
from ganvae.models.gan import AdamGAN
from ganvae.models.gan_config import NormalisedConfig
from ganvae.models.layers import Unflatten, strided_discriminator, undoubled_side, upsampling

FORMER_NAMES = {"generator_loss": "loss", "r1_share": "penalty_share"}


class DCGANConfig(NormalisedConfig):
    """Parameters of the system dcgan.

    For each entry of ``generator_channels``, the generator doubles height and width once, starting
    from the smallest feature maps. For each entry of ``discriminator_channels``, the discriminator
    halves height and width once. Files of earlier versions may have the `FORMER_NAMES`.
    """

    schedule: Schedule = Schedule(
        unit="epochs", length=90, report_every=10, sample_every=30, checkpoint_every=20
    )
    latent_size: PositiveInt = 100
    generator_channels: list[PositiveInt] = Field([128, 64], min_length=1)
    discriminator_channels: list[PositiveInt] = Field([64, 128], min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _read_former_names(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        for former, name in FORMER_NAMES.items():
            if former in values and name in values:
                raise ValueError(f"{former} is the former name of {name}. Remove {former}")
        return {FORMER_NAMES.get(key, key): value for key, value in values.items()}


class DCGAN(AdamGAN):
    """A GAN with a convolutional discriminator D and a convolutional generator G.

    G has a dense layer and transposed convolutions, with tanh at the end. The cross-entropy of D is
    -E log D(x) - E log(1 - D(G(z))). Both networks use images in [-1, 1]. This class converts
    images between [0, 1] and [-1, 1].
    """

    name: ClassVar[str] = "dcgan"
    source: ClassVar[str] = "convolutional GAN, after Radford et al. 2015 (1511.06434)"
    config_class = DCGANConfig
    d_loss_terms: ClassVar[int] = 2

    config: DCGANConfig

    @property
    def latent_size(self) -> int:
        return self.config.latent_size

    def build_generator(self) -> nn.Module:
        channels, height, width = self.image_shape
        base, *_ = widths = [*self.config.generator_channels, channels]
        base_height = undoubled_side(height, len(widths) - 1, "height")
        base_width = undoubled_side(width, len(widths) - 1, "width")
        batch_norm = self.config.generator_norm == "batch"
        features = base * base_height * base_width
        return nn.Sequential(
            nn.Linear(self.latent_size, features, bias=not batch_norm),
            Unflatten(base, base_height, base_width),
            nn.BatchNorm2d(base) if batch_norm else nn.Identity(),
            nn.ReLU(),
            upsampling(widths, batch_norm),
        )

    def build_discriminator(self, shape: ImageShape) -> nn.Module:
        batch_norm = self.config.discriminator_norm == "batch"
        return strided_discriminator(shape, self.config.discriminator_channels, batch_norm)

    def real_inputs(self, images: Tensor) -> Tensor:
        return images * 2 - 1

    def fake_inputs(self, latents: Tensor) -> Tensor:
        return torch.tanh(self.generator(latents))

    def decode_logits(self, latents: Tensor) -> Tensor:
        return 2 * super().decode_logits(latents)  # since (tanh(x) + 1) / 2 = sigmoid(2 x)

    def generate(self, latents: Tensor) -> Tensor:
        return (self.fake_inputs(latents) + 1) / 2

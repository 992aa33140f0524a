"""Convolutional GAN on images scaled to [-1, 1] (after Radford et al., 1511.06434).

The layer widths are our choice.
"""

from math import ceil
from typing import ClassVar, Literal, Self

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt, model_validator
from torch import Tensor, nn

from ganvae.config import Schedule
from ganvae.models.base import ImageShape
from ganvae.models.gan import AdamGAN, AdamGANConfig, merged, real_and_fake_loss
from ganvae.models.layers import Unflatten, strided_discriminator, undoubled_side, upsampling
from ganvae.models.losses import GENERATOR_LOSSES, r1_penalty
from ganvae.models.priors import standard_normal


class DCGANConfig(AdamGANConfig):
    """Parameters of the system dcgan.

    For each entry of ``generator_channels``, the generator doubles height and width once, starting
    from the smallest feature maps. For each entry of ``discriminator_channels``, the discriminator
    halves height and width once.

    ``r1`` is the weight gamma of the gradient penalty at real images (1801.04406, eq. 9). The value
    0 turns the penalty off. ``r1_share`` is the fraction of a batch's real images that enter the
    penalty. A smaller fraction saves time, because the gradient of the penalty takes more time than
    the rest of a discriminator step.
    """

    schedule: Schedule = Schedule(
        unit="epochs", length=90, report_every=10, sample_every=30, checkpoint_every=20
    )
    latent_size: PositiveInt = 100
    generator_channels: list[PositiveInt] = Field([128, 64], min_length=1)
    discriminator_channels: list[PositiveInt] = Field([64, 128], min_length=1)
    generator_norm: Literal["batch", "none"] = "batch"
    generator_loss: Literal["non-saturating", "minimax"] = "non-saturating"
    r1: NonNegativeFloat = 0.0
    r1_share: float = Field(1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _rule_needs_losses_above_zero(self) -> Self:
        if self.generator_loss == "minimax" and self.balance.ratio is not None:
            raise ValueError(
                "generator_loss is minimax, which is always negative, but the balance rule "
                "compares positive losses. Set balance.ratio to off, or set generator_loss to "
                "non-saturating"
            )
        return self


class DCGAN(AdamGAN):
    """A GAN with a convolutional discriminator D and a convolutional generator G.

    G has a dense layer and transposed convolutions, with tanh at the end. The loss of D is
    -E log D(x) - E log(1 - D(G(z))) + gamma R1. The parameter ``generator_loss`` selects the loss
    of G from `ganvae.models.losses.GENERATOR_LOSSES`. Both networks use images in [-1, 1]. This
    class converts images between [0, 1] and [-1, 1].
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
        batch_norm = config.generator_norm == "batch"
        features = base * base_height * base_width
        self.generator = nn.Sequential(
            nn.Linear(config.latent_size, features, bias=not batch_norm),
            Unflatten(base, base_height, base_width),
            nn.BatchNorm2d(base) if batch_norm else nn.Identity(),
            nn.ReLU(),
            upsampling(widths, batch_norm),
        )
        self.discriminator = strided_discriminator(image_shape, config.discriminator_channels)

    def discriminator_losses(self, real: Tensor, latents: Tensor) -> dict[str, Tensor]:
        signed = real * 2 - 1
        with torch.no_grad():
            fake = self._generate_signed(latents)
        logits = merged(self.discriminator, signed, fake)
        losses = {"d_loss": 2 * real_and_fake_loss(*logits)}
        if self.config.r1:
            losses["r1"] = self.config.r1 * self._r1_penalty(signed)
        return losses

    def _r1_penalty(self, signed: Tensor) -> Tensor:
        penalised = signed[: ceil(len(signed) * self.config.r1_share)].requires_grad_()
        return r1_penalty(self.discriminator(penalised), penalised)

    def generator_loss(self, latents: Tensor) -> Tensor:
        loss = GENERATOR_LOSSES[self.config.generator_loss]
        return loss(self.discriminator(self._generate_signed(latents)))

    def sample_prior(self, n: int, generator: torch.Generator) -> Tensor:
        return standard_normal(n, self.config.latent_size, generator)

    def decode_logits(self, latents: Tensor) -> Tensor:
        return 2 * super().decode_logits(latents)  # since (tanh(x) + 1) / 2 = sigmoid(2 x)

    def generate(self, latents: Tensor) -> Tensor:
        return (self._generate_signed(latents) + 1) / 2

    def _generate_signed(self, latents: Tensor) -> Tensor:
        return torch.tanh(self.generator(latents))

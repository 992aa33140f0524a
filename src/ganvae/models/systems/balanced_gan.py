"""Convolutional GAN with a rule that keeps discriminator (D) and generator (G) in balance.

The layer widths are our choice.
"""

from typing import ClassVar

from pydantic import Field, PositiveFloat, PositiveInt
from torch import nn

from ganvae.config import Schedule
from ganvae.models.balance import BalanceConfig
from ganvae.models.base import ImageShape
from ganvae.models.convolution import Conv2d, ConvTranspose2d
from ganvae.models.gan import AdamGAN
from ganvae.models.gan_config import Norm, NormalisedConfig
from ganvae.models.layers import Dropout, Flatten, Unflatten, half, leaky_relu, to_size


class RatioTwo(BalanceConfig):
    """Parameters of the balance between D and G, with the balance rule on by default.

    With ratio 2, D does not learn while D's loss is less than half of G's loss. G does not learn
    while G's loss is less than half of D's loss.
    """

    ratio: PositiveFloat | None = 2.0


class BalancedGANConfig(NormalisedConfig):
    """Parameters of the system balanced-gan.

    The first of ``generator_channels`` is the number of channels that the dense layer returns. The
    others are the output channels of all transposed convolutions except the last.
    ``discriminator_channels`` lists the output channels of each convolution.
    """

    schedule: Schedule = Schedule(
        unit="steps",
        length=10_000,
        report_every=100,
        sample_every=500,
        checkpoint_every=500,
        marks=[0, 5_000, 10_000],
    )
    balance: RatioTwo = RatioTwo()
    discriminator_norm: Norm = "batch"
    latent_size: PositiveInt = 100
    generator_channels: list[PositiveInt] = Field([128, 64, 32, 16], min_length=4, max_length=4)
    discriminator_channels: list[PositiveInt] = Field([32, 64, 128], min_length=3, max_length=3)
    discriminator_features: PositiveInt = 256
    dropout: float = Field(0.3, ge=0, lt=1)


class BalancedGAN(AdamGAN):
    """A convolutional GAN with the balance rule.

    D has three convolutions and two dense layers. G has a dense layer, a bilinear resize and four
    transposed convolutions. D's cross-entropy is the mean over real and generated images.
    So D's loss and G's loss are both log 2 at the equilibrium. G runs in eval mode in the D step,
    and in training mode in the G step.
    """

    name: ClassVar[str] = "balanced-gan"
    source: ClassVar[str] = "convolutional GAN with a D/G balance rule, after 1406.2661"
    config_class = BalancedGANConfig
    generates_in_eval_mode: ClassVar[bool] = True

    config: BalancedGANConfig

    @property
    def latent_size(self) -> int:
        return self.config.latent_size

    def build_generator(self) -> nn.Module:
        return _generator(self.config, self.image_shape)

    def build_discriminator(self, shape: ImageShape) -> nn.Module:
        return _discriminator(self.config, shape)


def _generator(config: BalancedGANConfig, image_shape: ImageShape) -> nn.Sequential:
    """Build the generator, from latents to the logits of images.

    The dense layer returns feature maps with a quarter of the image's height and width. The
    bilinear resize gives half of the height and width. The transposed convolution of stride 2 gives
    the full height and width.
    """
    image_channels, *full = image_shape
    halves = [half(side) for side in full]
    quarters = [half(side) for side in halves]
    base, first, second, third = config.generator_channels
    features = base * quarters[0] * quarters[1]
    batch_norm = config.generator_norm == "batch"
    return nn.Sequential(
        nn.Linear(config.latent_size, features),
        *([nn.BatchNorm1d(features)] if batch_norm else []),
        nn.ReLU(),
        Unflatten(base, *quarters),
        nn.Upsample(tuple(halves), mode="bilinear", align_corners=False),
        ConvTranspose2d(base, first, 5, padding=2),
        *_norm_and_relu(first, batch_norm),
        to_size(first, second, halves, full),
        *_norm_and_relu(second, batch_norm),
        ConvTranspose2d(second, third, 5, padding=2),
        *_norm_and_relu(third, batch_norm),
        ConvTranspose2d(third, image_channels, 5, padding=2),
    )


def _norm_and_relu(channels: int, batch_norm: bool) -> list[nn.Module]:
    return [*([nn.BatchNorm2d(channels)] if batch_norm else []), nn.ReLU()]


def _discriminator(config: BalancedGANConfig, image_shape: ImageShape) -> nn.Sequential:
    """Build the discriminator: 5 x 5 convolutions of stride 2, then two dense layers.

    Batch norm (optional) follows each convolution. Dropout follows the first two convolutions.
    """
    channels, height, width = image_shape
    layers: list[nn.Module] = []
    for position, outputs in enumerate(config.discriminator_channels):
        layers.append(Conv2d(channels, outputs, 5, stride=2, padding=2))
        if config.discriminator_norm == "batch":
            layers.append(nn.BatchNorm2d(outputs))
        layers.append(leaky_relu())
        if position < 2:
            layers.append(Dropout(config.dropout))
        channels, height, width = outputs, half(height), half(width)
    return nn.Sequential(
        *layers,
        Flatten(),
        nn.Linear(channels * height * width, config.discriminator_features),
        leaky_relu(),
        nn.Linear(config.discriminator_features, 1),
    )

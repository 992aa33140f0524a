"""Convolutional VAE. Its default reconstruction loss is the squared error.

By default, encoder and decoder have three convolutions each. The layer widths are our choice.
"""

from itertools import pairwise
from typing import ClassVar

from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn

from ganvae.config import Schedule
from ganvae.models.base import Family, ImageShape, Likelihood
from ganvae.models.convolution import Conv2d
from ganvae.models.layers import Flatten, Unflatten, half, to_size
from ganvae.models.vae import VAE, VAEConfig


class ConvVAEConfig(VAEConfig):
    """Parameters of the system conv-vae.

    ``channels`` lists the output channels of the encoder's convolutions. Each convolution halves
    height and width. The decoder has the same channels in reverse order.
    """

    schedule: Schedule = Schedule(
        unit="epochs", length=30, report_every=1, sample_every=3, checkpoint_every=3
    )
    channels: list[PositiveInt] = Field([32, 64, 128], min_length=1)
    learning_rate: PositiveFloat = 1e-4
    likelihood: Likelihood = "gaussian"


class ConvVAE(VAE):
    """A VAE whose default loss is squared error + beta * KL.

    The squared error is summed over pixels. Both terms are means over images. With beta 1 this loss
    is -ELBO up to a constant, for p(x|z) = N(decoder's mean, I/2). With the Bernoulli likelihood
    the cross-entropy replaces the squared error. Then the loss with beta 1 is -ELBO without a
    constant.
    """

    name: ClassVar[str] = "conv-vae"
    family: ClassVar[Family] = "vae"
    source: ClassVar[str] = (
        "convolutional VAE with squared error, after Kingma & Welling 2013 (1312.6114)"
    )
    config_class = ConvVAEConfig

    def __init__(self, config: ConvVAEConfig, image_shape: ImageShape) -> None:
        super().__init__(config, image_shape)
        image_channels, height, width = image_shape
        sizes = [(height, width)]
        for _ in config.channels:
            sizes.append((half(sizes[-1][0]), half(sizes[-1][1])))
        channels = [image_channels, *config.channels]
        top = channels[-1], *sizes[-1]
        features = top[0] * top[1] * top[2]

        down: list[nn.Module] = []
        for inputs, outputs in pairwise(channels):
            down += [Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.ReLU()]
        last = nn.Linear(features, 2 * config.latent_size)
        self.encoder = self.normalised(nn.Sequential(*down, Flatten(), last))
        up: list[nn.Module] = []
        for (inputs, outputs), (source, target) in zip(
            pairwise(reversed(channels)), pairwise(reversed(sizes)), strict=True
        ):
            up += [to_size(inputs, outputs, source, target), nn.ReLU()]
        first = nn.Linear(config.latent_size, features)
        self.decoder = self.normalised(nn.Sequential(first, nn.ReLU(), Unflatten(*top), *up[:-1]))

    def decode_logits(self, latents: Tensor) -> Tensor:
        return self.decoder(latents)

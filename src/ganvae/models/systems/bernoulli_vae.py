"""Fully connected VAE with a Bernoulli decoder (Kingma & Welling, 1312.6114).

The number and sizes of the layers are our choice.
"""

from math import prod
from typing import ClassVar, Literal

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from ganvae.config import Schedule
from ganvae.models.base import Family, ImageShape
from ganvae.models.layers import mlp
from ganvae.models.vae import VAE, VAEConfig

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}
LEAST_MEAN = 1e-3
"""Pixels that are black in all training images start with this mean, whose logit is finite."""


class BernoulliVAEConfig(VAEConfig):
    """Parameters of the system bernoulli-vae.

    Attributes:
        hidden: the sizes of the encoder's hidden layers. The decoder has the same sizes in reverse
            order.
        activation: the activation of the hidden layers.
        output_bias: the initial bias of the decoder's last layer. With ``pixel-means``, the decoder
            starts with the logits of the mean training image.
    """

    schedule: Schedule = Schedule(
        unit="epochs", length=100, report_every=1, sample_every=10, checkpoint_every=10
    )
    hidden: list[PositiveInt] = Field([500, 500], min_length=1)
    activation: Literal["relu", "tanh"] = "relu"
    output_bias: Literal["random", "pixel-means"] = "random"


class BernoulliVAE(VAE):
    """A VAE whose default loss is -ELBO = -E_q log p(x|z) + KL(q(z|x) || N(0, I)).

    The term -log p(x|z) is the cross-entropy between the pixels and the decoder's logits
    (1312.6114, eq. 3 and 10).
    """

    name: ClassVar[str] = "bernoulli-vae"
    family: ClassVar[Family] = "vae"
    source: ClassVar[str] = "fully connected VAE, Kingma & Welling 2013 (1312.6114)"
    config_class = BernoulliVAEConfig

    config: BernoulliVAEConfig

    def __init__(self, config: BernoulliVAEConfig, image_shape: ImageShape) -> None:
        super().__init__(config, image_shape)
        pixels, activation = prod(image_shape), ACTIVATIONS[config.activation]
        encoder = mlp([pixels, *config.hidden, 2 * config.latent_size], activation)
        self.encoder = nn.Sequential(nn.Flatten(), self.normalised(encoder))
        decoder = mlp([config.latent_size, *reversed(config.hidden), pixels], activation)
        self.decoder = self.normalised(decoder)

    def start_from(self, images: Tensor) -> None:
        if self.config.output_bias == "pixel-means":
            sums = images.flatten(start_dim=1).sum(dim=0, dtype=torch.float64)
            means = sums / (255 * len(images))
            last = self.decoder[-1]
            assert isinstance(last, nn.Linear)
            with torch.no_grad():
                last.bias.copy_(torch.logit(means, eps=LEAST_MEAN))

    def decode_logits(self, latents: Tensor) -> Tensor:
        return self.decoder(latents).unflatten(1, self.image_shape)

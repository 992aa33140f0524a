"""Fully connected VAE with a Bernoulli decoder (Kingma & Welling, 1312.6114).

The number and sizes of the layers are our choice.
"""

from math import prod
from typing import ClassVar

from pydantic import Field, PositiveInt
from torch import Tensor, nn

from ganvae.config import Schedule
from ganvae.models.base import Family, ImageShape
from ganvae.models.layers import mlp
from ganvae.models.vae import VAE, VAEConfig


class BernoulliVAEConfig(VAEConfig):
    """Parameters of the system bernoulli-vae.

    ``hidden`` lists the sizes of the encoder's hidden layers. The decoder has the same
    sizes in reverse order.
    """

    schedule: Schedule = Schedule(
        unit="epochs", length=100, report_every=1, sample_every=10, checkpoint_every=10
    )
    hidden: list[PositiveInt] = Field([500, 500], min_length=1)


class BernoulliVAE(VAE):
    """A VAE whose default loss is -ELBO = -E_q log p(x|z) + KL(q(z|x) || N(0, I)).

    The term -log p(x|z) is the cross-entropy between the pixels and the decoder's logits
    (1312.6114, eq. 3 and 10).
    """

    name: ClassVar[str] = "bernoulli-vae"
    family: ClassVar[Family] = "vae"
    source: ClassVar[str] = "fully connected VAE, Kingma & Welling 2013 (1312.6114)"
    config_class = BernoulliVAEConfig

    def __init__(self, config: BernoulliVAEConfig, image_shape: ImageShape) -> None:
        super().__init__(config, image_shape)
        pixels = prod(image_shape)
        encoder = mlp([pixels, *config.hidden, 2 * config.latent_size], nn.ReLU)
        self.encoder = nn.Sequential(nn.Flatten(), self.normalised(encoder))
        decoder = mlp([config.latent_size, *reversed(config.hidden), pixels], nn.ReLU)
        self.decoder = self.normalised(decoder)

    def decode_logits(self, latents: Tensor) -> Tensor:
        return self.decoder(latents).unflatten(1, self.image_shape)

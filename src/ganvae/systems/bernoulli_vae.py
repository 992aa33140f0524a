"""Fully connected VAE with a Bernoulli decoder (Kingma & Welling, 1312.6114; layers ours)."""

from math import prod
from typing import ClassVar

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganvae.config import ModelConfig, Schedule
from ganvae.models.base import Family, ImageShape, Optimizers, VariationalModel, descend
from ganvae.models.layers import mlp
from ganvae.models.losses import bernoulli_cross_entropy, gaussian_kl
from ganvae.models.priors import standard_normal


class BernoulliVAEConfig(ModelConfig):
    """Parameters; the decoder mirrors ``hidden``. A latent size of 2 can be drawn as a map."""

    schedule: Schedule = Schedule(
        unit="epochs", length=100, report_every=1, sample_every=10, checkpoint_every=10
    )
    batch_size: int = Field(128, ge=2)
    latent_size: PositiveInt = 20
    hidden: list[PositiveInt] = Field([500, 500], min_length=1)
    learning_rate: PositiveFloat = 1e-3


class BernoulliVAE(VariationalModel):
    """Minimises -ELBO = -E_q log p(x|z) + KL(q(z|x) || N(0, I)) (1312.6114, eq. 3 and 10).

    q(z|x) is a diagonal Gaussian; a sample or reconstruction is the Bernoulli mean of the pixels.
    """

    name: ClassVar[str] = "bernoulli-vae"
    family: ClassVar[Family] = "vae"
    source: ClassVar[str] = "fully connected VAE, Kingma & Welling 2013 (1312.6114)"
    config_class = BernoulliVAEConfig

    def __init__(self, config: BernoulliVAEConfig, image_shape: ImageShape) -> None:
        super().__init__()
        self.config = config
        self.image_shape = image_shape
        self.latent_size = config.latent_size
        self.real_images_per_step = config.batch_size
        pixels = prod(image_shape)
        self.encoder = nn.Sequential(
            nn.Flatten(), mlp([pixels, *config.hidden, 2 * config.latent_size], nn.ReLU)
        )
        self.decoder = mlp([config.latent_size, *reversed(config.hidden), pixels], nn.ReLU)

    def optimizers(self) -> dict[str, Optimizer]:
        return {"vae": Adam(self.parameters(), self.config.learning_rate)}

    def train_step(
        self, images: Tensor, optimizers: Optimizers, generator: torch.Generator
    ) -> dict[str, Tensor]:
        noise = standard_normal(len(images), self.latent_size, generator)
        reconstruction, kl = (term.mean() for term in self._negative_elbo(images, noise))
        loss = descend(reconstruction + kl, optimizers["vae"])
        return {
            "loss": loss,
            "reconstruction_loss": reconstruction.detach(),
            "kl": kl.detach(),
        }

    def _negative_elbo(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The two terms of -ELBO of each image, both N, in nats."""
        mean, log_variance = self.encode(images)
        latents = mean + (log_variance / 2).exp() * noise
        logits = self._decode_logits(latents)
        return bernoulli_cross_entropy(logits, images), gaussian_kl(mean, log_variance)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance

    def elbo(self, images: Tensor, noise: Tensor) -> Tensor:
        reconstruction, kl = self._negative_elbo(images, noise)
        return -(reconstruction + kl)

    def sample_prior(self, n: int, generator: torch.Generator) -> Tensor:
        return standard_normal(n, self.latent_size, generator)

    def generate(self, latents: Tensor) -> Tensor:
        return torch.sigmoid(self._decode_logits(latents))

    def _decode_logits(self, latents: Tensor) -> Tensor:
        return self.decoder(latents).unflatten(1, self.image_shape)

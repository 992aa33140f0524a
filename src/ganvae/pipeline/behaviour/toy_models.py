"""Models with one layer, to measure code that works with any model.

Changes to the real systems do not change the behaviour of these models.
"""

from math import prod
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganvae.config import LogitModelConfig, Schedule
from ganvae.models.base import Family, GenerativeModel, ImageShape, Likelihood, Optimizers
from ganvae.models.priors import standard_normal
from ganvae.models.vae import AutoencodingModel
from ganvae.pipeline.behaviour.fixture import fill

NEVER = Schedule(unit="steps", length=1, report_every=1, sample_every=1, checkpoint_every=1)
"""A schedule that is never followed."""


class _NeverTrained:
    """A base class with empty training methods, because toy models are never trained."""

    def optimizers(self) -> dict[str, Optimizer]:
        return {}

    def train_step(
        self, images: Tensor, optimizers: Optimizers, generator: torch.Generator
    ) -> dict[str, Tensor]:
        return {}


class ToyGenerator(_NeverTrained, GenerativeModel):
    """A generator of one linear layer and a sigmoid."""

    name: ClassVar[str] = "toy-generator"
    family: ClassVar[Family] = "gan"
    source: ClassVar[str] = "a toy"

    def __init__(self, image_shape: ImageShape, latent_size: int) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.latent_size = latent_size
        self.generator = nn.Linear(latent_size, prod(image_shape))
        fill(self)

    def sample_prior(self, n: int, generator: torch.Generator) -> Tensor:
        return standard_normal(n, self.latent_size, generator)

    def generate(self, latents: Tensor) -> Tensor:
        return torch.sigmoid(self.generator(latents)).unflatten(1, self.image_shape)


class ToyVAE(_NeverTrained, AutoencodingModel):
    """A VAE whose encoder and decoder have one linear layer each."""

    name: ClassVar[str] = "toy-vae"
    family: ClassVar[Family] = "vae"
    source: ClassVar[str] = "a toy"
    likelihood: ClassVar[Likelihood] = "bernoulli"

    def __init__(self, image_shape: ImageShape, latent_size: int) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.latent_size = latent_size
        self.config = LogitModelConfig(schedule=NEVER, batch_size=2, ema=None)
        pixels = prod(image_shape)
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 2 * latent_size))
        self.decoder = nn.Linear(latent_size, pixels)
        fill(self)

    def decode_logits(self, latents: Tensor) -> Tensor:
        return self.decoder(latents).unflatten(1, self.image_shape)

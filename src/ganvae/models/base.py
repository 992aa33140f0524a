"""The interface that every generative model fulfils."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer

from ganvae.config import ModelConfig

Family = Literal["gan", "vae", "hybrid"]
Likelihood = Literal["bernoulli", "gaussian"]
ImageShape = tuple[int, int, int]  # channels, height, width
Optimizers = Mapping[str, Optimizer]


class GenerativeModel(nn.Module, ABC):
    """A model that learns from images and generates new ones.

    It owns its networks, losses, prior and optimizers; it knows nothing of files, progress or
    experiments. All images, in and out, are contract images (`ganvae.core.images`): float32,
    N x C x H x W, in [0, 1].

    A subclass is built by ``Model(config, image_shape)`` with weights initialised from torch's
    global generator; whoever builds it seeds that (`ganvae.models.registry.build_model`).
    """

    name: ClassVar[str]
    family: ClassVar[Family]
    source: ClassVar[str]
    """Where the model comes from, in one line."""
    config_class: ClassVar[type[ModelConfig]]

    config: ModelConfig
    image_shape: ImageShape
    real_images_per_step: int
    """How many real images one `train_step` takes."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @abstractmethod
    def optimizers(self) -> dict[str, Optimizer]:
        """Fresh optimizers by the name of the network that each one steps."""

    @abstractmethod
    def train_step(
        self, images: Tensor, optimizers: Optimizers, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Learn from one batch of ``real_images_per_step`` images.

        ``generator`` gives all the noise. Returns the losses by name: detached scalars that are
        still on the device. The names are the same at every step.
        """

    @abstractmethod
    def sample_prior(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw ``n`` latents, N x latent size, on the generator's device."""

    @abstractmethod
    def generate(self, latents: Tensor) -> Tensor:
        """Contract images of latents; the mode and gradients are the caller's business."""

    def decode(self, latents: Tensor, batch_size: int = 125) -> Tensor:
        """Contract images of latents, on the CPU, in eval mode and without gradients.

        Each image depends on its own latent alone.
        """
        with evaluating(self):
            batches = [
                self.generate(part.to(self.device)).cpu() for part in latents.split(batch_size)
            ]
        return torch.cat(batches)

    def sample(self, n: int, generator: torch.Generator, batch_size: int = 125) -> Tensor:
        """``n`` contract images of latents drawn from the prior, on the CPU."""
        return self.decode(self.sample_prior(n, generator), batch_size)


class VariationalModel(GenerativeModel):
    """A model with an encoder: it reconstructs images and bounds their likelihood."""

    likelihood: ClassVar[Likelihood]
    """The distribution of pixels that the ELBO is taken under."""

    latent_size: int

    @abstractmethod
    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z|x), each N x latent size."""

    @abstractmethod
    def elbo(self, images: Tensor, noise: Tensor) -> Tensor:
        """One-sample estimate of the evidence lower bound of each image, N, in nats.

        ``noise``, N x latent size, is N(0, I); each image's latent is mean + deviation * noise.
        """

    def reconstruct(self, images: Tensor, batch_size: int = 125) -> Tensor:
        """Contract images decoded from the mean of q(z|x), on the CPU, in eval mode."""
        with evaluating(self):
            batches = [
                self.generate(self.encode(part.to(self.device))[0]).cpu()
                for part in images.split(batch_size)
            ]
        return torch.cat(batches)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Eval mode and no gradients inside the block; every module's own mode after it."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Nothing changes the network inside the block, though gradients flow through it.

    Its parameters get no gradient; its batch norms use their batch but keep their statistics.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    network.requires_grad_(False)
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        network.requires_grad_(True)
        for norm in norms:
            norm.track_running_stats = True


def descend(loss: Tensor, *optimizers: Optimizer) -> None:
    """Take one step of each optimizer down ``loss``."""
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()

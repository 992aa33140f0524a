"""The interface of all generative models."""

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

    A model owns its networks, losses, prior and optimizers. It does not know about files,
    progress or experiments. All input and output images are contract images
    (`ganvae.core.images`): float32, N x C x H x W, in [0, 1].

    ``Model(config, image_shape)`` initialises the weights from torch's global generator. The
    caller seeds that generator, as `ganvae.models.registry.build_model` does.
    """

    name: ClassVar[str]
    family: ClassVar[Family]
    source: ClassVar[str]
    """The origin of the system (usually a paper), in one line."""
    config_class: ClassVar[type[ModelConfig]]

    config: ModelConfig
    image_shape: ImageShape
    real_images_per_step: int
    """The number of real images in one `train_step`."""

    @property
    def device(self) -> torch.device:
        """The device that holds the weights."""
        return next(self.parameters()).device

    @abstractmethod
    def optimizers(self) -> dict[str, Optimizer]:
        """Create the optimizers. Each key is the name of the network that the optimizer updates."""

    @abstractmethod
    def train_step(
        self, images: Tensor, optimizers: Optimizers, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Learn from one batch of ``real_images_per_step`` images.

        All noise comes from ``generator``. Returns the losses by name, as detached scalars on
        the model's device. The names are the same in every step.
        """

    @abstractmethod
    def sample_prior(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw ``n`` latents, N x latent size, on the generator's device."""

    @abstractmethod
    def generate(self, latents: Tensor) -> Tensor:
        """Turn latents into contract images.

        The caller chooses training or eval mode, and whether gradients are recorded.
        """

    def decode(self, latents: Tensor, batch_size: int = 125) -> Tensor:
        """Turn latents into contract images on the CPU, in eval mode and without gradients.

        Each image depends only on its own latent.
        """
        with evaluating(self):
            batches = [
                self.generate(part.to(self.device)).cpu() for part in latents.split(batch_size)
            ]
        return torch.cat(batches)

    def sample(self, n: int, generator: torch.Generator, batch_size: int = 125) -> Tensor:
        """Draw ``n`` latents from the prior and decode them to contract images, on the CPU."""
        return self.decode(self.sample_prior(n, generator), batch_size)


class VariationalModel(GenerativeModel):
    """A model with an encoder. It reconstructs images and bounds their likelihood from below."""

    likelihood: ClassVar[Likelihood]
    """The distribution of the pixels given a latent, p(x|z), in the ELBO."""

    latent_size: int

    @abstractmethod
    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z|x), each N x latent size."""

    @abstractmethod
    def elbo(self, images: Tensor, noise: Tensor) -> Tensor:
        """Estimate the evidence lower bound of each image from one latent: N, in nats.

        ``noise``, N x latent size, is drawn from N(0, I). The latent of an image is
        mean + standard deviation * noise.
        """

    def reconstruct(self, images: Tensor, batch_size: int = 125) -> Tensor:
        """Decode the mean of q(z|x) to contract images, on the CPU and in eval mode."""
        with evaluating(self):
            batches = [
                self.generate(self.encode(part.to(self.device))[0]).cpu()
                for part in images.split(batch_size)
            ]
        return torch.cat(batches)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Use eval mode and no gradients inside the block, then restore the mode of each module."""
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
    """Keep the network unchanged inside the block, while gradients still flow through it.

    Its parameters get no gradient. Its batch norms use the statistics of the batch, but do not
    update their running statistics.
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
    """Compute the gradient of ``loss`` and take one step of each optimizer."""
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()

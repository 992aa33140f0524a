"""The interface of all generative models."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrize import ParametrizationList
from torch.optim import Optimizer

from ganvae.config import LogitModelConfig, ModelConfig

Family = Literal["gan", "vae", "hybrid", "other"]
Likelihood = Literal["bernoulli", "gaussian"]
ImageShape = tuple[int, int, int]  # channels, height, width
Optimizers = Mapping[str, Optimizer]


def shape_of(images: Tensor | np.ndarray) -> ImageShape:
    """The shape C x H x W of a set of images, N x C x H x W."""
    _, channels, height, width = images.shape
    return channels, height, width


class FitError(Exception):
    """A trained model's sampling cannot be fitted, for example because its encodings are NaN."""


class GenerativeModel(nn.Module, ABC):
    """A model that learns from images and generates new ones.

    A model defines its networks, losses, prior and optimizers. A model reads and writes no files,
    and reports no progress. All input and output images are contract images (`ganvae.core.images`):
    float32, N x C x H x W, in [0, 1].

    ``Model(config, image_shape)`` initialises the weights from torch's global generator. The caller
    seeds that generator, as `ganvae.models.registry.build_model` does.
    """

    name: ClassVar[str]
    family: ClassVar[Family]
    source: ClassVar[str]
    """One line that names the origin of the model, usually a paper."""
    config_class: ClassVar[type[ModelConfig]]

    config: ModelConfig
    image_shape: ImageShape
    real_images_per_step: int
    """The number of real images that one `train_step` takes."""
    progress: float = 1.0
    """The share of the training steps that are done. The trainer sets it before each step."""

    @property
    def device(self) -> torch.device:
        """The device that holds the weights."""
        return next(self.parameters()).device

    def start_from(self, images: Tensor) -> None:
        """Set initial weights that depend on the training images. By default, none does.

        The trainer calls this method once, before the first training step.

        Args:
            images: the training set, uint8, N x C x H x W, on the CPU.
        """

    @abstractmethod
    def optimizers(self) -> dict[str, Optimizer]:
        """Create the optimizers, by the name of the network that each optimizer updates."""

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
        """Turn latents, N x latent size, into contract images, as in training.

        The caller chooses training or eval mode, and whether gradients are recorded.
        """

    def fit_sampling(self, images: Tensor, generator: torch.Generator) -> None:
        """Fit whatever sampling needs beyond the trained weights. By default, this is nothing.

        The trainer calls this method once, after the last training step. The result is part of the
        weights.

        Args:
            images: the training set, uint8, N x C x H x W.
            generator: a generator on the CPU, the source of all random numbers.

        Raises:
            FitError: the trained weights do not allow a fit. The training run has diverged.
        """

    def sample_latents(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw the latents of ``n`` samples, n x latent size, on the generator's device.

        By default, the latents come from the prior. Latent i does not depend on the other latents.
        """
        return self.sample_prior(n, generator)

    def render(self, latents: Tensor) -> Tensor:
        """Turn latents, N x latent size, into contract images, as in samples.

        By default, samples have the same images as in training. The caller chooses the mode, and
        whether gradients are recorded.
        """
        return self.generate(latents)

    def decode(self, latents: Tensor, batch_size: int = 125) -> Tensor:
        """Render latents as contract images on the CPU, in eval mode and without gradients.

        Each image depends only on its own latent.
        """
        with evaluating(self):
            batches = [
                self.render(part.to(self.device)).cpu() for part in latents.split(batch_size)
            ]
        return torch.cat(batches)

    def sample(self, n: int, generator: torch.Generator, batch_size: int = 125) -> Tensor:
        """Draw the latents of ``n`` samples and decode them to contract images, on the CPU."""
        return self.decode(self.sample_latents(n, generator), batch_size)


class LogitModel(GenerativeModel):
    """A model whose images are the sigmoid of logits."""

    config: LogitModelConfig

    @abstractmethod
    def decode_logits(self, latents: Tensor) -> Tensor:
        """Decode latents to the logits of images, N x C x H x W."""

    def generate(self, latents: Tensor) -> Tensor:
        return torch.sigmoid(self.decode_logits(latents))

    def render(self, latents: Tensor) -> Tensor:
        """Turn latents into images whose logits are multiplied by ``output_scale``."""
        scale = self.config.output_scale
        if scale == 1:  # the same images as in training, to the last bit
            return self.generate(latents)
        return torch.sigmoid(scale * self.decode_logits(latents))


class VariationalModel(GenerativeModel):
    """A model with an encoder. Such a model can reconstruct images.

    A variational model also gives a lower bound of the likelihood of images. x is an image, z a
    latent. q(z|x) is the distribution of latents that the encoder returns for x.
    """

    likelihood: ClassVar[Likelihood]
    """The family of p(x|z), the distribution of an image's pixels given a latent."""

    latent_size: int

    @property
    def density(self) -> str:
        """The name of the form of p(x|z). Only ELBOs of models with equal names are compared."""
        return self.likelihood

    @abstractmethod
    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the log-variance of q(z|x) for N images, each N x latent size."""

    @abstractmethod
    def elbo(self, images: Tensor, noise: Tensor) -> Tensor:
        """Estimate the evidence lower bound of each image from one latent: N, in nats.

        ``noise``, N x latent size, is drawn from N(0, I). The latent of an image is
        mean + standard deviation * noise.
        """

    def reconstruct(self, images: Tensor, batch_size: int = 125) -> Tensor:
        """Encode each image, and decode the mean of q(z|x) to a contract image.

        The model runs in eval mode. The result, N x C x H x W, is on the CPU.
        """
        with evaluating(self):
            batches = [
                self.generate(self.encode(part.to(self.device))[0]).cpu()
                for part in images.split(batch_size)
            ]
        return torch.cat(batches)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put ``model`` in eval mode and record no gradients inside the ``with`` block.

    After the block, each module of the model returns to its former mode.
    """
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
    """Keep ``network`` unchanged inside the ``with`` block, while gradients flow through it.

    The parameters of the network get no gradients. The batch norms of the network use the
    statistics of the batch, but do not update their running statistics. Spectral norms take no
    power iterations.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    modes = [
        (module, module.training)
        for parametrized in network.modules()
        if isinstance(parametrized, ParametrizationList)
        for module in parametrized.modules()
    ]
    network.requires_grad_(False)
    for norm in norms:
        norm.track_running_stats = False
    for module, _ in modes:
        module.training = False
    try:
        yield
    finally:
        network.requires_grad_(True)
        for norm in norms:
            norm.track_running_stats = True
        for module, mode in modes:
            module.training = mode


def descend(loss: Tensor, *optimizers: Optimizer) -> None:
    """Replace all gradients by those of ``loss``, then take one step of each optimizer."""
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()

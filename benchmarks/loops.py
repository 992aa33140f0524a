"""Training loops as a careful user would first write them, and this package's training loop."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from ganvae.core.compute import Precision
from ganvae.core.images import from_uint8
from ganvae.models.base import GenerativeModel
from ganvae.training.batches import Batches
from ganvae.training.history import History
from ganvae.training.precision import networks_in

Step = Callable[[], object]
"""A function that takes one training step."""


class ImageByImage(Dataset[Tensor]):
    """Loads one image at a time through PIL, like the usual data sets with transforms."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        picture = Image.fromarray(self.images[index, 0].numpy())
        pixels = torch.from_numpy(np.array(picture))[None]
        return pixels.float().div(255)


def loaded(images: Tensor, batch_size: int) -> Iterator[Tensor]:
    """Endless batches from a shuffling `DataLoader`."""
    loader = DataLoader(ImageByImage(images), batch_size, shuffle=True, drop_last=True)
    while True:
        yield from loader


def in_memory(images: Tensor, batch_size: int) -> Iterator[Tensor]:
    """Endless random batches from a tensor of all images."""
    while True:
        for index in torch.randperm(len(images)).split(batch_size):
            yield from_uint8(images[index])


def ours(model: GenerativeModel, images: Tensor, precision: Precision) -> Step:
    """The training step of this package's trainer."""
    batches, optimizers = Batches(images, model.real_images_per_step, 0), model.optimizers()
    noise, history = torch.Generator().manual_seed(0), History()
    steps = iter(range(1_000_000_000))

    def step() -> None:
        with networks_in(precision, model):
            losses = model.train_step(batches[next(steps)], optimizers, noise)
        history.add(losses)

    return step


def gan_step(  # noqa: PLR0913  a plain loop, as users write it
    generator: nn.Module,
    discriminator: nn.Module,
    optimizers: Mapping[str, Optimizer],
    batches: Iterator[Tensor],
    draw: Callable[[int], Tensor],
    batch_size: int,
    *,
    signed: bool,
    fresh: bool,
) -> Step:
    """A step that trains D on a real and a generated batch, and then G. It returns both losses.

    Args:
        signed: whether images are in [-1, 1] and G ends in tanh. Otherwise they are in [0, 1] and G
            ends in a sigmoid.
        fresh: whether G is trained on new images, as in Keras. Otherwise it is trained on the
            images that D was trained on, as in most collections of GANs.
    """
    criterion = nn.BCEWithLogitsLoss()

    def generate() -> Tensor:
        output = generator(draw(batch_size))
        return torch.tanh(output) if signed else torch.sigmoid(output)

    def step() -> tuple[float, float]:
        real = next(batches)
        if signed:
            real = real * 2 - 1
        fake = generate()
        optimizers["discriminator"].zero_grad()
        d_real = criterion(discriminator(real), torch.ones(len(real), 1))
        seen = fake.detach()[: len(real)]
        d_fake = criterion(discriminator(seen), torch.zeros(len(real), 1))
        d_loss = d_real + d_fake
        d_loss.backward()
        optimizers["discriminator"].step()

        if fresh:
            fake = generate()
        optimizers["generator"].zero_grad()
        g_loss = criterion(discriminator(fake), torch.ones(batch_size, 1))
        g_loss.backward()
        optimizers["generator"].step()
        return d_loss.item(), g_loss.item()

    return step


def vae_step(
    encoder: nn.Module,
    decoder: nn.Module,
    optimizer: Optimizer,
    batches: Iterator[Tensor],
    squared_error: bool,
) -> Step:
    """A VAE step with reconstruction loss and KL summed over the batch, like PyTorch's examples."""

    def step() -> float:
        images = next(batches)
        optimizer.zero_grad()
        mean, log_variance = encoder(images).chunk(2, dim=1)
        latents = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        decoded = torch.sigmoid(decoder(latents)).view_as(images)
        if squared_error:
            loss = F.mse_loss(decoded, images, reduction="sum")
        else:
            loss = F.binary_cross_entropy(decoded, images, reduction="sum")
        kl = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
        ((loss + kl) / len(images)).backward()
        optimizer.step()
        return loss.item()

    return step


def vae_gan_step(
    networks: Mapping[str, nn.Module],
    optimizers: Mapping[str, Optimizer],
    batches: Iterator[Tensor],
    latent_size: int,
) -> Step:
    """A VAE-GAN step with three passes through G and three through D, each on its own batch.

    ``networks`` and ``optimizers`` have the keys encoder, generator and discriminator.
    """
    encoder, generator = networks["encoder"], networks["generator"]
    discriminator = networks["discriminator"]
    criterion = nn.BCEWithLogitsLoss()

    def step() -> tuple[float, float]:
        images = next(batches)
        n = len(images)
        optimizers["discriminator"].zero_grad()
        d_real = criterion(discriminator(images), torch.full((n, 1), 0.9))
        with torch.no_grad():
            fake = torch.sigmoid(generator(torch.randn(n, latent_size)))
        d_loss = d_real + criterion(discriminator(fake), torch.zeros(n, 1))
        d_loss.backward()
        optimizers["discriminator"].step()

        optimizers["encoder"].zero_grad()
        optimizers["generator"].zero_grad()
        mean, log_variance = encoder(images).chunk(2, dim=1)
        latents = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        decoded = torch.sigmoid(generator(latents))
        reconstruction = F.binary_cross_entropy(decoded, images, reduction="sum") / n
        kl = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp()) / n
        fake = torch.sigmoid(generator(torch.randn(n, latent_size)))
        g_loss = criterion(discriminator(fake), torch.ones(n, 1))
        (reconstruction + kl + g_loss).backward()
        optimizers["encoder"].step()
        optimizers["generator"].step()
        return d_loss.item(), g_loss.item()

    return step

"""Training of judges without labels, on tasks whose answers are known (see `TasksConfig`).

Contract images are float32, N x C x H x W, in [0, 1].
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvae.config import TasksConfig, UnlabelledTrainingConfig
from ganvae.core.images import from_uint8, to_uint8
from ganvae.core.seeds import generator, global_seed
from ganvae.judge.network import Judge
from ganvae.judge.training import mirror, shift
from ganvae.judge.unlabelled import OUTPUTS, TURNS

LEAST_BLUR = 0.05  # pixels; a narrower Gaussian changes no pixel by one grey level


def train_unlabelled(
    config: UnlabelledTrainingConfig, images: Tensor, report: Callable[[str], None] = print
) -> Judge:
    """Train a judge to tell rotation, blur and noise. Return the judge in eval mode.

    The optimizer is AdamW with a one-cycle schedule of the learning rate.

    Args:
        images: the training images, uint8, N x C x H x W. Height and width must be equal.
        report: a function called with one line of text per epoch.
    """
    settings = config.training
    shape: tuple[int, int, int] = tuple(images.shape[1:])  # type: ignore[assignment]
    with global_seed(settings.seed, "unlabelled judge"):
        judge = Judge(config.network, shape, OUTPUTS)
        random = generator(settings.seed, "unlabelled judge data")
        steps = settings.epochs * (len(images) // settings.batch_size)
        optimizer = torch.optim.AdamW(
            judge.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, settings.learning_rate, total_steps=steps
        )
        for epoch in range(settings.epochs):
            order = torch.randperm(len(images), generator=random)
            batches = order.split(settings.batch_size)[: steps // settings.epochs]
            total = torch.zeros(())
            for index in batches:
                batch = shift(from_uint8(images[index]), settings.max_shift, random)
                if settings.flip:
                    batch = mirror(batch, random)
                loss = _loss(judge, batch, config.tasks, random)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                total += loss.detach()
            report(f"judge: epoch {epoch + 1}/{settings.epochs}, loss {total / len(batches):.4f}")
    return judge.eval()


def _loss(judge: Judge, images: Tensor, tasks: TasksConfig, random: torch.Generator) -> Tensor:
    turned, turns = rotated(images, random)
    damaged, amounts = damage(turned, tasks, random)
    outputs = judge(damaged)[1]
    rotation = F.cross_entropy(outputs[:, :TURNS], turns)
    return rotation + tasks.damage_weight * F.mse_loss(outputs[:, TURNS:], amounts)


def rotated(images: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rotate each square image by a random number of quarter turns, and return both: int64, N."""
    turns = torch.randint(TURNS, (len(images),), generator=random)
    result = images.clone()
    for turn in range(1, TURNS):
        result[turns == turn] = torch.rot90(images[turns == turn], turn, (2, 3))
    return result, turns


def damage(images: Tensor, tasks: TasksConfig, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Blur some images and add noise to some images, and return both with the amounts: N x 2.

    An amount is the variance of the Gaussian as a share of the largest variance, in [0, 1], and 0
    for an image without this damage. (Variances of blurs add up, unlike standard deviations.) The
    results are quantised like all images that a judge sees.
    """
    n = len(images)
    shares = torch.rand(n, 2, generator=random)  # of the largest standard deviation
    shares *= torch.rand(n, 2, generator=random) < tasks.damaged_share
    blur, noise = shares[:, 0] * tasks.most_blur, shares[:, 1] * tasks.most_noise
    grains = torch.randn(images.shape, generator=random)
    result = blurred(images, blur) + noise[:, None, None, None] * grains
    return from_uint8(to_uint8(result.clamp(0, 1))), shares.square()


def blurred(images: Tensor, deviations: Tensor) -> Tensor:
    """Blur each image with a Gaussian of its own standard deviation, in pixels.

    Beyond its borders an image is continued by reflection, as a black frame would be a clue.

    Args:
        images: contract images, N x C x H x W.
        deviations: N values. Below `LEAST_BLUR`, an image stays as it is.
    """
    channels = images.shape[1]
    reach = max(1, round(3 * float(deviations.max())))
    offsets = torch.arange(-reach, reach + 1)
    kernels = (-(offsets**2) / (2 * deviations.clamp(min=LEAST_BLUR)[:, None] ** 2)).exp()
    kernels = (kernels / kernels.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    padded = F.pad(images, [reach] * 4, mode="reflect")
    rows = padded.flatten(end_dim=1)[None]  # one group per channel of an image
    wide = F.conv2d(rows, kernels[:, None, None, :], groups=len(kernels))
    both = F.conv2d(wide, kernels[:, None, :, None], groups=len(kernels))
    return both[0].unflatten(0, images.shape[:2])

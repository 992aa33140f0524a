"""Training of judges. A judge is a classifier, trained once, that scores generated images.

Contract images are float32, N x C x H x W, in [0, 1].
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvae.config import JudgeConfig
from ganvae.core.images import from_uint8
from ganvae.core.seeds import generator, global_seed
from ganvae.data.source import LabelledImages
from ganvae.judge.network import ChannelJudge, Judge


def train_judge(
    config: JudgeConfig, train: LabelledImages, classes: int, report: Callable[[str], None] = print
) -> Judge:
    """Train a judge with cross-entropy on randomly shifted images. Return the judge in eval mode.

    The optimizer is AdamW with a one-cycle schedule of the learning rate. Labels are not smoothed,
    because smoothing would shrink the logits and so lower the Inception Score.

    Args:
        train: the training images. Labels run from 0 to ``classes`` - 1.
        report: a function called with one line of text per epoch.
    """
    settings = config.training
    pixels, labels = torch.from_numpy(train.images), torch.from_numpy(train.labels)
    with global_seed(settings.seed, "judge"):
        judge = Judge(config.network, train.image_shape, classes)
        random = generator(settings.seed, "judge data")
        steps = settings.epochs * (len(labels) // settings.batch_size)
        optimizer = torch.optim.AdamW(
            judge.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, settings.learning_rate, total_steps=steps
        )
        for epoch in range(settings.epochs):
            order = torch.randperm(len(labels), generator=random)
            total = torch.zeros(())
            batches = order.split(settings.batch_size)[: steps // settings.epochs]
            for index in batches:
                images = shift(from_uint8(pixels[index]), settings.max_shift, random)
                if settings.flip:
                    images = mirror(images, random)
                loss = F.cross_entropy(judge(images)[1], labels[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                total += loss.detach()
            report(f"judge: epoch {epoch + 1}/{settings.epochs}, loss {total / len(batches):.4f}")
    return judge.eval()


def shift(images: Tensor, most: int, random: torch.Generator) -> Tensor:
    """Shift each contract image at random by at most ``most`` pixels per axis. Gaps are black."""
    if most == 0:
        return images
    n, channels, height, width = images.shape
    padded = F.pad(images, [most] * 4)
    offsets = torch.randint(2 * most + 1, (2, n, 1), generator=random)
    rows = (torch.arange(height) + offsets[0])[:, None, :, None]
    columns = (torch.arange(width) + offsets[1])[:, None, None, :]
    return padded[
        torch.arange(n)[:, None, None, None],
        torch.arange(channels)[None, :, None, None],
        rows,
        columns,
    ]


def mirror(images: Tensor, random: torch.Generator) -> Tensor:
    """Mirror each contract image left to right, each with probability 0.5."""
    mirrored = torch.rand(len(images), generator=random) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


@torch.inference_mode()
def accuracy(judge: Judge | ChannelJudge, data: LabelledImages, batch_size: int = 125) -> float:
    """Share of the images that the judge classifies correctly, in [0, 1]."""
    batches = torch.from_numpy(data.images).split(batch_size)
    guesses = torch.cat([judge(from_uint8(images))[1].argmax(dim=1) for images in batches])
    return float((guesses.numpy() == data.labels).mean())

"""Pictures of generated images and the nearest real images."""

from pathlib import Path

import torch
from torch import Tensor

from ganvae.config import InversionConfig
from ganvae.core.images import from_uint8, to_uint8
from ganvae.data.store import StoredSplit
from ganvae.evaluation.training_set import TrainingSet
from ganvae.judge.network import FrozenJudge
from ganvae.metrics.distances import nearest, pixels
from ganvae.metrics.inversion import invert
from ganvae.models.base import GenerativeModel
from ganvae.pictures.classes import of_classes, shown_classes
from ganvae.pictures.rows import draw_rows

COMPARED = 20
INVERTED_PER_CLASS = 1

Judged = tuple[FrozenJudge, TrainingSet]
"""A judge (a classifier), and the training images with the judge's features of these images."""


def draw_nearest_neighbours(
    path: Path, samples: Tensor, train: Tensor, title: str, judged: Judged | None = None
) -> None:
    """Draw the first 20 samples, and below each sample the nearest training image.

    ``samples`` and ``train`` are uint8, N x C x H x W. One row shows the training images nearest in
    pixels. With ``judged``, another row shows the training images nearest in the judge's features,
    which change little if a digit moves.
    """
    shown = samples[:COMPARED]
    index, _ = nearest(pixels(shown), pixels(train))
    rows = {"sample": shown, "nearest in pixels": train[index]}
    if judged:
        judge, training_set = judged
        index, _ = nearest(judge(shown)[0], training_set.features)
        rows["nearest to the judge"] = training_set.images[index]
    draw_rows(path, rows, f"{title}: samples, and the training images nearest to them")


def draw_inversions(
    path: Path,
    model: GenerativeModel,
    split: StoredSplit,
    settings: InversionConfig,
    random: torch.Generator,
    title: str,
) -> None:
    """Draw one held-out image per shown class, and below each image the nearest generated image.

    `ganvae.metrics.inversion.invert` searches for the generated images. ``split`` has the held-out
    images.
    """
    classes = shown_classes(split)
    chosen = torch.cat([index[:INVERTED_PER_CLASS] for index in classes.values()])
    images = invert(model, from_uint8(split.images[chosen]), settings, random=random)
    rows = {
        "held-out image": split.images[chosen],
        "nearest drawn": to_uint8(images, "inverted images"),
    }
    names = [split.classes[label] for label in split.labels[chosen]]
    what = of_classes(split, "held-out images, and the nearest that it can draw")
    draw_rows(path, rows, f"{title}: {what}", names)

"""What a model can draw beside what there is: held-out images it aims at, and training images."""

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
"""A judge, and the training images as it sees them."""


def draw_nearest_neighbours(
    path: Path, samples: Tensor, train: Tensor, title: str, judged: Judged | None = None
) -> None:
    """The first samples (uint8) above the training images (uint8) nearest to them.

    Nearest by pixels, and where there is a judge in its features too, which know a digit that has
    moved.
    """
    shown = samples[:COMPARED]
    index, _ = nearest(pixels(shown), pixels(train))
    rows = {"sample": shown, "nearest in pixels": train[index]}
    if judged:
        judge, seen = judged
        index, _ = nearest(judge(shown)[0], seen.features)
        rows["nearest to the judge"] = seen.images[index]
    draw_rows(path, rows, f"{title}: samples, and the training images nearest to them")


def draw_inversions(
    path: Path,
    model: GenerativeModel,
    split: StoredSplit,
    settings: InversionConfig,
    random: torch.Generator,
    title: str,
) -> None:
    """Held-out images of the classes above the nearest that the model was found to draw."""
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

"""Class balance of samples: how a judge's predictions spread over the classes."""

from collections.abc import Sequence

import torch
from torch import Tensor

PRESENT = 10
"""A class counts as present if its share of the samples exceeds 1 / (``PRESENT`` * classes).

For ten classes this limit is 1 %.
"""


def class_counts(logits: Tensor) -> list[int]:
    """Count the samples that the judge assigns to each class.

    ``logits`` are the judge's outputs, N x classes. The list has one count per class.
    """
    return torch.bincount(logits.argmax(dim=1), minlength=logits.shape[1]).tolist()


def class_distance(counts: Sequence[int]) -> float:
    """Return the total variation distance between the classes' shares and equal shares.

    The distance lies between 0 and 1 - 1/classes. ``counts`` has the number of samples per class.
    """
    total = sum(counts)
    return sum(abs(count / total - 1 / len(counts)) for count in counts) / 2


def classes_present(counts: Sequence[int]) -> int:
    """The number of classes that are present, as `PRESENT` defines it."""
    return sum(PRESENT * len(counts) * count > sum(counts) for count in counts)

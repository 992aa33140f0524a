"""Class balance of samples: how a judge's predictions spread over the classes."""

from collections.abc import Sequence

import torch
from torch import Tensor

PRESENT = 10
"""A class is present above 1/10 of an even share of the samples: 1 % for ten classes."""


def class_counts(logits: Tensor) -> list[int]:
    """The number of samples that the judge assigns to each class. ``logits`` are N x classes."""
    return torch.bincount(logits.argmax(dim=1), minlength=logits.shape[1]).tolist()


def class_distance(counts: Sequence[int]) -> float:
    """Total variation distance between the class shares and equal shares: 0 to 1 - 1/classes."""
    total = sum(counts)
    return sum(abs(count / total - 1 / len(counts)) for count in counts) / 2


def classes_present(counts: Sequence[int]) -> int:
    """The number of classes with more than a tenth of an even share of the samples."""
    return sum(PRESENT * len(counts) * count > sum(counts) for count in counts)

"""How a judge's verdicts on the samples spread over the classes."""

from collections.abc import Sequence

import torch
from torch import Tensor

PRESENT = 10
"""A class counts as there above one part in so many of an even share: 1 % of ten classes."""


def class_counts(logits: Tensor) -> list[int]:
    """How many samples the judge gives to each class, of its logits, N x classes."""
    return torch.bincount(logits.argmax(dim=1), minlength=logits.shape[1]).tolist()


def class_distance(counts: Sequence[int]) -> float:
    """Total variation distance of the classes' shares from equal ones: from 0 to 1 - 1/classes."""
    total = sum(counts)
    return sum(abs(count / total - 1 / len(counts)) for count in counts) / 2


def classes_present(counts: Sequence[int]) -> int:
    """How many classes have more than a tenth of an even share of the samples."""
    return sum(PRESENT * len(counts) * count > sum(counts) for count in counts)

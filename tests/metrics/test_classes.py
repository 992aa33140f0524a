"""The judge's verdicts by class."""

import pytest
import torch

from ganvae.metrics.classes import class_counts, class_distance, classes_present


def test_counts_are_of_the_largest_logit() -> None:
    logits = torch.tensor([[0.0, 2.0, -1.0], [5.0, 2.0, 4.0], [-3.0, -2.0, -9.0]])
    assert class_counts(logits) == [1, 2, 0]


@pytest.mark.parametrize(
    ("counts", "distance", "present"),
    [
        ([25, 25, 25, 25], 0, 4),
        ([100, 0, 0, 0], 0.75, 1),
        ([50, 50, 0, 0], 0.5, 2),
        ([990, 10, *[0] * 8], 0.89, 1),  # one per cent is not more than one per cent
        ([978, 11, 11, *[0] * 7], 0.878, 3),
        ([950, 50], 0.45, 1),  # a tenth of an even share is not more than that
        ([949, 51], 0.449, 2),
    ],
)
def test_distance_and_number(counts: list[int], distance: float, present: int) -> None:
    assert class_distance(counts) == pytest.approx(distance)
    assert classes_present(counts) == present

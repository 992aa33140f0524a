"""Class counts and class balance of the judge's predictions."""

import pytest
import torch

from ganvae.metrics.classes import class_counts, class_distance, classes_present


def test_each_sample_counts_for_the_class_with_the_largest_logit() -> None:
    logits = torch.tensor([[0.0, 2.0, -1.0], [5.0, 2.0, 4.0], [-3.0, -2.0, -9.0]])
    assert class_counts(logits) == [1, 2, 0]


@pytest.mark.parametrize(
    ("counts", "distance", "present"),
    [
        ([25, 25, 25, 25], 0, 4),
        ([100, 0, 0, 0], 0.75, 1),
        ([50, 50, 0, 0], 0.5, 2),
        ([990, 10, *[0] * 8], 0.89, 1),  # 1 % is not more than 1 %
        ([978, 11, 11, *[0] * 7], 0.878, 3),
        ([950, 50], 0.45, 1),  # 1/10 of an even share is not more than 1/10
        ([949, 51], 0.449, 2),
    ],
)
def test_class_distance_and_present_classes(
    counts: list[int], distance: float, present: int
) -> None:
    assert class_distance(counts) == pytest.approx(distance)
    assert classes_present(counts) == present

"""The noise of precision, recall, density and coverage stays within the ranges of the scores."""

import pytest

from ganvae.evaluation.neighbours import _within_range


@pytest.mark.parametrize(
    ("ends", "cut"),
    [
        ((0.2, 0.3), (0.2, 0.3)),
        ((-0.1, 0.3), (0.0, 0.3)),
        ((0.9, 1.2), (0.9, 1.0)),
        ((-3e-6, -2e-6), (0.0, 0.0)),  # the recall of a collapsed GAN
        ((1.1, 1.2), (1.0, 1.0)),
    ],
)
def test_an_interval_is_cut_off_at_possible_values(
    ends: tuple[float, float], cut: tuple[float, float]
) -> None:
    found = _within_range("recall_judge", 0.1, *ends)
    assert (found.standard_error, found.low, found.high) == (0.1, *cut)

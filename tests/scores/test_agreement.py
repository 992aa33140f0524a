"""Rank agreement of two judges in closed form."""

import pytest

from ganvae.scores.agreement import agreement
from ganvae.scores.comparison import Row, leaderboard
from toy_records import runs


def rows_of(second: list[float | None]) -> list[Row]:
    """Variants with the first judge's FIDs 1, 2, ... and the given FIDs of the second judge."""
    records = runs("floor", [0.1], fid_unlabelled=99.0)
    for number, fid in enumerate(second):
        scores = {} if fid is None else {"fid_unlabelled": fid}
        records += runs(f"gan-{number}", [1.0 + number], **scores)
    return leaderboard(records)


@pytest.mark.parametrize(
    ("second", "tau", "rho"),
    [
        ([10.0, 20.0, 30.0, 40.0], 1.0, 1.0),
        ([40.0, 30.0, 20.0, 10.0], -1.0, -1.0),
        ([20.0, 10.0, 30.0, 40.0], 4 / 6, 0.8),  # one of six pairs is swapped
        ([40.0, 10.0, 20.0, 30.0], 0.0, -0.2),  # 1 - 6 (9 + 1 + 1 + 1) / 60
    ],
)
def test_pin_25_the_coefficients_of_known_orders(
    second: list[float | None], tau: float, rho: float
) -> None:
    found = agreement(rows_of(second))
    assert found is not None
    assert (found.tau, found.rho) == pytest.approx((tau, rho))
    assert found.first == [1, 2, 3, 4]
    assert found.second == [sorted(second).index(fid) + 1 for fid in second]  # type: ignore[type-var]
    assert found.variants == ["gan-0", "gan-1", "gan-2", "gan-3"], "baselines are no variants"


def test_variants_without_the_second_judge_are_left_out() -> None:
    found = agreement(rows_of([10.0, None, 30.0, 20.0]))
    assert found is not None
    assert found.variants == ["gan-0", "gan-2", "gan-3"]
    assert found.second == [1, 3, 2]


@pytest.mark.parametrize("second", [[10.0, 20.0], [None, None, None], [5.0, 5.0, 5.0]])
def test_too_few_variants_or_equal_scores_have_no_coefficient(second: list[float | None]) -> None:
    assert agreement(rows_of(second)) is None

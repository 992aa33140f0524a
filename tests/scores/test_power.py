"""What a rank test of few values can show, against SciPy and simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from ganvae.scores.power import (
    detectable,
    detectable_shift,
    most_in_wrong_order,
    smallest_p,
)


@pytest.mark.parametrize(
    ("n", "m", "least"), [(3, 3, 0.1), (5, 5, 2 / 252), (1, 1, 1), (3, 5, 2 / 56)]
)
def test_sides_that_do_not_overlap_give_the_smallest_p(n: int, m: int, least: float) -> None:
    assert smallest_p(n, m) == pytest.approx(least)
    apart = stats.mannwhitneyu(range(n), range(10, 10 + m), method="exact")
    assert apart.pvalue == pytest.approx(least)


@pytest.mark.parametrize(
    ("n", "m", "wrong"), [(3, 3, None), (1, 9, None), (3, 5, 0), (4, 4, 0), (5, 5, 2), (10, 10, 23)]
)
def test_pin_14_the_pairs_in_wrong_order_are_those_of_tables_of_u(
    n: int, m: int, wrong: int | None
) -> None:
    """Critical values of U at 5 %, two-sided (Mann and Whitney 1947)."""
    assert most_in_wrong_order(n, m, 0.05) == wrong


def test_a_significant_order_is_significant_by_scipy() -> None:
    """With 4 against 6 values, U = 2 is significant and U = 3 is not."""
    assert most_in_wrong_order(4, 6, 0.05) == 2
    b = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    two, three = [1.0, 2.0, 3.0, 25.0], [1.0, 2.0, 3.0, 35.0]
    assert stats.mannwhitneyu(two, b, method="exact").pvalue <= 0.05
    assert stats.mannwhitneyu(three, b, method="exact").pvalue > 0.05


@pytest.mark.parametrize(("n", "m"), [(5, 5), (3, 5), (10, 8)])
def test_pin_14_the_detectable_shift_is_shown_in_80_percent_of_draws(n: int, m: int) -> None:
    shift = detectable_shift(n, m, 0.05)
    assert shift is not None
    random = np.random.default_rng(1)
    first, second = random.normal(shift, size=(1500, n)), random.normal(size=(1500, m))
    ps = stats.mannwhitneyu(first, second, axis=1, method="exact").pvalue
    assert np.mean(ps <= 0.05) == pytest.approx(0.8, abs=0.035)


def test_more_seeds_show_smaller_differences_and_more_tests_only_larger_ones() -> None:
    five, ten = detectable_shift(5, 5, 0.05), detectable_shift(10, 10, 0.05)
    strict = detectable_shift(5, 5, 0.05 / 6)
    assert five and ten and strict
    assert ten < five < strict
    assert detectable_shift(5, 5, 0.05 / 7) is None


def test_what_can_be_shown_is_a_ratio_above_1_on_a_log_scale() -> None:
    shift = detectable_shift(5, 5, 0.05)
    assert shift is not None
    assert detectable(5, 5, 0.1, "log") == pytest.approx(math.exp(0.1 * shift))
    assert detectable(5, 5, 0.1, "linear") == pytest.approx(0.1 * shift)
    larger = detectable(5, 5, 0.1, "log", tests=6)
    assert larger and larger > math.exp(0.1 * shift)


@pytest.mark.parametrize(("n", "deviation"), [(3, 0.1), (5, None), (5, 0.0)])
def test_without_a_test_or_a_spread_nothing_can_be_said(n: int, deviation: float | None) -> None:
    assert detectable(n, n, deviation, "log") is None

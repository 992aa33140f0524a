"""Means, ratios and equivalence, against closed forms."""

import math

import numpy as np
import pytest
from scipy import stats

from ganvae.scores.intervals import MARGIN, effect, estimate, mean, pooled_deviation

A, B = [9.0, 11.0, 10.0, 14.0, 12.5], [15.0, 13.0, 20.0, 18.0]


def test_the_interval_of_a_mean_is_student_s() -> None:
    three = estimate([1.0, 2.0, 6.0])
    margin = 4.302653 * 7**0.5 / 3**0.5  # t, 2 d.o.f.
    assert (three.mean, three.n, three.values) == (3, 3, (1.0, 2.0, 6.0))
    assert (three.low, three.high) == pytest.approx((3 - margin, 3 + margin), rel=1e-6)


def test_pin_14_a_mean_on_a_log_scale_is_geometric_and_lies_inside_its_interval() -> None:
    """The logarithms of 2 and 8 have mean log 4, standard error log 2 and 1 degree of freedom."""
    found = estimate([2.0, 8.0], "log")
    margin = 12.7062047364 * math.log(2)
    assert found.mean == pytest.approx(4)
    assert (found.low, found.high) == pytest.approx((4 / math.exp(margin), 4 * math.exp(margin)))
    assert mean([2.0, 8.0], "linear") == 5


def test_pin_14_an_interval_on_a_log_scale_never_goes_below_zero() -> None:
    wild = [302.28, 147.19, 145.74]
    assert estimate(wild).low < 0
    found = estimate(wild, "log")
    assert 0 < found.low < found.mean < found.high
    assert found.low * found.high == pytest.approx(found.mean**2)


def test_one_value_has_no_interval() -> None:
    for scale in ("linear", "log"):
        found = estimate([5.0], scale)
        assert (found.mean, found.low, found.high) == (pytest.approx(5), None, None)


def test_equal_values_have_an_interval_without_width() -> None:
    found = estimate([5.0, 5.0, 5.0], "log")
    assert found.mean == found.low == found.high == pytest.approx(5)


def test_pin_14_a_zero_on_a_log_scale_gives_a_mean_of_zero_without_interval() -> None:
    found = estimate([0.0, 4.0], "log")
    assert (found.mean, found.low, found.high, found.n) == (0, None, None, 2)
    ratio = effect([0.0, 4.0], [1.0, 2.0], "log")
    assert (ratio.size, ratio.low, ratio.high, ratio.equivalent) == (None, None, None, None)
    assert effect([0.0, 4.0], [1.0, 2.0], "linear").size == 0.5
    assert pooled_deviation([0.0, 4.0], [1.0, 2.0], "log") is None


def test_intervals_are_cut_at_the_limits_of_the_score() -> None:
    found = estimate([0.0, 0.01, 0.0], limits=(0.0, 1.0))
    assert found.low == 0 < found.mean < found.high < 1
    assert estimate([0.99, 1.0, 0.8], limits=(0.0, 1.0)).high == 1


def test_the_interval_of_a_difference_is_welch_s() -> None:
    """Expected by Welch's formulas, with degrees of freedom by Satterthwaite."""
    a, b = np.var(A, ddof=1) / len(A), np.var(B, ddof=1) / len(B)
    freedom = (a + b) ** 2 / (a**2 / (len(A) - 1) + b**2 / (len(B) - 1))
    margin = stats.t.ppf(0.975, freedom) * math.sqrt(a + b)
    found = effect(A, B, "linear")
    assert found.size == pytest.approx(np.mean(A) - np.mean(B))
    assert (found.low, found.high) == pytest.approx((found.size - margin, found.size + margin))
    assert found.equivalent is None


def test_pin_14_the_effect_on_a_log_scale_is_the_first_divided_by_the_second() -> None:
    """Geometric means 4 and 16. The standard error is log 2, with one degree of freedom."""
    found = effect([2.0, 8.0], [16.0, 16.0], "log")
    factor = math.exp(math.log(2) * 12.7062047364)
    assert (found.size, found.low, found.high) == pytest.approx(
        (0.25, 0.25 / factor, 0.25 * factor)
    )
    turned = effect([16.0, 16.0], [2.0, 8.0], "log")
    assert (turned.size, turned.low, turned.high) == pytest.approx((4, 4 / factor, 4 * factor))


def test_one_side_without_variance_gives_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    """Welch's interval then equals Student's interval of the other side, shifted."""
    found = effect([1.0, 2.0, 6.0], [20.0, 20.0, 20.0], "linear")
    assert found.high == pytest.approx(-17 + 4.302653 * 7**0.5 / 3**0.5, rel=1e-6)
    assert not list(recwarn)


def test_sides_without_variance_have_no_width_and_are_not_tested_for_equivalence() -> None:
    found = effect([3.0, 3.0], [3.0, 3.0], "log")
    assert (found.size, found.low, found.high, found.equivalent) == (1, 1, 1, None)
    assert effect([3.0], [3.0, 4.0], "log").equivalent is None


def one_sided(a: list[float], b: list[float]) -> float:
    """The larger p-value of the two one-sided tests of the log ratio, by SciPy."""
    first, second, bound = np.log(a), np.log(b), math.log(MARGIN)
    above = stats.ttest_ind(first + bound, second, equal_var=False, alternative="greater").pvalue
    below = stats.ttest_ind(first - bound, second, equal_var=False, alternative="less").pvalue
    return float(max(above, below))


@pytest.mark.parametrize(
    ("ratio", "spread"),
    [(1.0, 0.1), (1.0, 0.24), (1.0, 0.28), (1.15, 0.05), (0.87, 0.05), (0.7, 0.05)],
)
def test_pin_14_equivalence_is_two_one_sided_tests_at_5_percent(
    ratio: float, spread: float
) -> None:
    steps = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    a, b = list(ratio * 10 * np.exp(spread * steps)), list(10 * np.exp(0.8 * spread * steps))
    assert effect(a, b, "log").equivalent == (one_sided(a, b) < 0.05)
    assert effect(b, a, "log").equivalent == (one_sided(b, a) < 0.05)


def test_equivalence_needs_a_ratio_within_the_margin() -> None:
    near, far = [9.9, 10.0, 10.1], [13.9, 14.0, 14.1]
    assert effect(near, [10.0, 10.1, 10.2], "log").equivalent
    assert not effect(near, far, "log").equivalent


@pytest.mark.slow
def test_the_interval_covers_the_geometric_mean_of_lognormal_scores() -> None:
    """Student's interval of the arithmetic mean covers too little, that of logarithms does not."""
    random = np.random.default_rng(0)
    draws = np.exp(random.normal(size=(2000, 5)))
    of_logs = [estimate(draw, "log") for draw in draws]
    plain = [estimate(draw) for draw in draws]
    assert 0.935 < np.mean([each.low <= 1 <= each.high for each in of_logs]) < 0.965
    assert np.mean([each.low <= math.exp(0.5) <= each.high for each in plain]) < 0.9

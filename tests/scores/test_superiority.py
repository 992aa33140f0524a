"""The probability that a run is better than another, against published formulas and simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from ganvae.scores.superiority import can_be_meaningful, superiority

LOW, HIGH = [1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0]


def test_pin_14_the_share_counts_the_pairs_in_which_the_first_side_is_better() -> None:
    """Among the 20 pairs, only 14 > 13 is in the other order."""
    a, b = [9.0, 11.0, 10.0, 14.0, 12.5], [15.0, 13.0, 20.0, 18.0]
    assert superiority(a, b, lower_is_better=True).share == pytest.approx(19 / 20)
    assert superiority(a, b, lower_is_better=False).share == pytest.approx(1 / 20)
    assert superiority(b, a, lower_is_better=True).share == pytest.approx(1 / 20)


def test_ties_count_half() -> None:
    found = superiority([1.0, 1.0], [1.0, 1.0], True)
    assert found.share == 0.5
    assert found.low == pytest.approx(1 - found.high)
    assert superiority([0.0] * 4, [0.0, 1.0, 1.0, 1.0], True).share == pytest.approx(14 / 16)


def variance(q: float, n: int, m: int) -> float:
    """V of Newcombe 2006, with m* = n* = (m + n) / 2 - 1."""
    star = (n + m) / 2 - 1
    return q * (1 - q) * (1 + star * (1 - q) / (2 - q) + star * q / (1 + q)) / (m * n)


@pytest.mark.parametrize("b", [[2.5, 4.5, 6.0], [0.0, 1.5, 9.0, 11.0], [1.5, 3.5, 4.5, 7.0, 8.0]])
def test_pin_14_both_ends_solve_newcombes_equation(b: list[float]) -> None:
    found = superiority(LOW, b, True)
    for end in (found.low, found.high):
        distance = stats.norm.ppf(0.975) * math.sqrt(variance(end, len(LOW), len(b)))
        assert abs(found.share - end) == pytest.approx(distance)
    assert found.low < found.share < found.high


def test_pin_14_complete_separation_has_an_interval_with_a_width() -> None:
    found = superiority(LOW, HIGH, True)
    assert (found.share, found.high) == (1, 1)
    # 1 - q = z^2 q (1 + 4 (1 - q) / (2 - q) + 4 q / (1 + q)) / 25
    q = found.low
    assert q == pytest.approx(0.6427, abs=1e-4)
    assert 1 - q == pytest.approx(1.959964**2 * variance(q, 5, 5) / (1 - q), rel=1e-5)
    turned = superiority(HIGH, LOW, True)
    assert (turned.share, turned.low) == (0, 0)
    assert turned.high == pytest.approx(1 - q)


def test_ten_separated_seeds_pass_three_quarters_and_five_do_not() -> None:
    ten = superiority([*LOW, *(x / 10 for x in LOW)], [*HIGH, *(10 * x for x in HIGH)], True)
    assert ten.low == pytest.approx(0.8002, abs=1e-4)
    assert superiority(LOW, HIGH, True).low < 0.75


@pytest.mark.parametrize(
    ("n", "m", "can"), [(5, 5, False), (7, 7, False), (8, 8, True), (10, 10, True), (1, 99, False)]
)
def test_few_seeds_cannot_show_a_meaningful_difference(n: int, m: int, can: bool) -> None:
    assert can_be_meaningful(n, m) == can
    if min(n, m) > 1:
        found = superiority(list(range(n)), [100.0 + x for x in range(m)], True)
        assert (found.low > 0.75) == can


def test_a_side_with_one_value_has_no_interval() -> None:
    found = superiority([1.0], [2.0, 3.0], True)
    assert (found.share, found.low, found.high) == (1, None, None)


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("shift", [0.0, 1.0, 2.0])
def test_the_interval_covers_the_probability_of_normal_values(n: int, shift: float) -> None:
    random = np.random.default_rng(n)
    truth, hits, repeats = stats.norm.cdf(shift / math.sqrt(2)), 0, 400
    for _ in range(repeats):
        found = superiority(random.normal(-shift, size=n), random.normal(size=n), True)
        hits += found.low <= truth <= found.high
    assert hits / repeats > 0.91

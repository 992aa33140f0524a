"""Intervals, tests and verdicts, against closed forms and by simulation."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from ganvae.scores import statistics
from ganvae.scores.statistics import (
    Difference,
    corrected,
    difference,
    estimate,
    hedges_g,
    holm,
    smallest_p,
    worth_making,
)

A, B = [9.0, 11.0, 10.0, 14.0, 12.5], [15.0, 13.0, 20.0, 18.0]


def compared(a: list[float], b: list[float], score: str = "fid_judge") -> Difference:
    return difference(score, "gan", a, "vae", b)


def test_interval_of_a_mean_is_students() -> None:
    three = estimate([1.0, 2.0, 6.0])
    assert three.mean == 3
    assert three.margin == pytest.approx(4.302653 * 7**0.5 / 3**0.5, rel=1e-6)  # t, 2 d.o.f.
    assert estimate([5.0]).margin is None


def test_interval_of_a_difference_is_welchs() -> None:
    """By Welch's formulas: standard error, and degrees of freedom by Satterthwaite."""
    a, b = np.var(A, ddof=1) / len(A), np.var(B, ddof=1) / len(B)
    freedom = (a + b) ** 2 / (a**2 / (len(A) - 1) + b**2 / (len(B) - 1))
    margin = stats.t.ppf(0.975, freedom) * math.sqrt(a + b)
    found = compared(A, B)
    assert (found.mean_first, found.mean_second) == (np.mean(A), np.mean(B))
    assert found.mean == pytest.approx(np.mean(A) - np.mean(B))
    assert found.low == pytest.approx(found.mean - margin)
    assert found.high == pytest.approx(found.mean + margin)
    assert (found.n_first, found.n_second) == (5, 4)


def test_hedges_g_of_two_triples() -> None:
    """Of 1, 2, 3 and 3, 4, 5: d = -2; the factor for 4 degrees of freedom is 2 / sqrt(2 pi)."""
    assert hedges_g([1, 2, 3], [3, 4, 5]) == pytest.approx(-2 * 2 / math.sqrt(2 * math.pi))
    assert hedges_g([3, 4, 5], [1, 2, 3]) > 0
    assert hedges_g([1, 2, 3], [3]) is None
    assert hedges_g([2, 2], [3, 3]) is None


@pytest.mark.parametrize(
    ("n", "m", "least"), [(3, 3, 0.1), (5, 5, 2 / 252), (1, 1, 1), (3, 5, 2 / 56)]
)
def test_the_smallest_p_is_that_of_sides_that_do_not_overlap(n: int, m: int, least: float) -> None:
    assert smallest_p(n, m) == pytest.approx(least)
    apart = stats.mannwhitneyu(range(n), range(10, 10 + m), method="exact")
    assert apart.pvalue == pytest.approx(least)


def test_p_is_the_exact_rank_tests() -> None:
    found = compared(A, B)
    assert found.p == found.p_holm == stats.mannwhitneyu(A, B, method="exact").pvalue
    assert found.superiority == pytest.approx(1 / 20)  # of 20 pairs only 14 > 13
    assert found.verdict == "second higher"
    assert compared(B, A).verdict == "first higher"
    assert compared(A, [x + 0.1 for x in A]).verdict == "no difference shown"


def test_ties_go_through_every_order_of_few_values() -> None:
    """Five 0s and three 1s: all 1s are on one side in 2 * C(5, 1) of C(8, 4) orders."""
    found = compared([0.0] * 4, [0.0, 1.0, 1.0, 1.0])
    assert found.p == pytest.approx(10 / 70)
    assert found.superiority == pytest.approx(4 * 0.5 / 16)


def test_values_that_are_all_equal_give_finite_numbers() -> None:
    same = compared([1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0])
    assert (same.mean, same.low, same.high, same.bootstrap_low) == (0, 0, 0, 0)
    assert (same.effect, same.superiority, same.p) == (None, 0.5, 1)
    assert same.verdict == "no difference shown"


def test_one_side_without_variance_is_no_fault(recwarn: pytest.WarningsRecorder) -> None:
    """Then Welch's interval is Student's of the other side, moved."""
    found = compared([1.0, 2.0, 6.0], [20.0, 20.0, 20.0])
    assert found.high == pytest.approx(-17 + 4.302653 * 7**0.5 / 3**0.5, rel=1e-6)
    assert not list(recwarn)


def test_one_value_has_no_interval() -> None:
    found = compared([1.0], [2.0, 3.0])
    assert found.mean == -1.5
    assert {found.low, found.high, found.bootstrap_low, found.bootstrap_high, found.effect} == {
        None
    }


def test_three_against_three_are_not_tested_however_far_apart() -> None:
    found = compared([1.0, 2.0, 3.0], [101.0, 102.0, 103.0])
    assert (found.verdict, found.p, found.p_holm) == ("too few seeds", None, None)
    assert found.smallest_p == pytest.approx(0.1)
    assert found.superiority == 0
    assert found.high is not None
    assert found.high < 0  # Welch's interval says what it can all the same


def test_holm_by_hand() -> None:
    """Sorted 0.01, 0.02, 0.03, 0.5: times 4, 3, 2, 1, and never less than the one before."""
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


LOW = [1.0, 2.0, 3.0, 4.0, 5.0]
HIGH = [6.0, 7.0, 8.0, 9.0, 10.0]


def test_a_family_is_corrected_together() -> None:
    clear, vague = compared(LOW, HIGH), compared(LOW, [1.5, 2.5, 3.5, 4.5, 0.5])
    first, second, third = corrected([clear, vague, compared([1.0, 2.0], [3.0, 4.0])])
    assert first.p == second.smallest_p == pytest.approx(2 / 252)
    assert first.p_holm == pytest.approx(4 / 252)  # times two, not three: the third is no test
    assert second.p_holm == second.p
    assert first.smallest_p_holm == second.smallest_p_holm == pytest.approx(4 / 252)
    assert [first.verdict, second.verdict] == ["second higher", "no difference shown"]
    assert (third.p, third.p_holm, third.verdict) == (None, None, "too few seeds")
    assert third.smallest_p_holm == pytest.approx(2 * 2 / 6)


@pytest.mark.parametrize(("tests", "verdict"), [(6, "second higher"), (7, "too few seeds")])
def test_six_tests_of_5_against_5_can_succeed_and_seven_cannot(tests: int, verdict: str) -> None:
    """6 * 2 / 252 = 0.0476, and 7 * 2 / 252 = 0.0556."""
    found = corrected([compared(LOW, HIGH)] * tests)
    assert {one.verdict for one in found} == {verdict}
    assert found[0].smallest_p_holm == pytest.approx(tests * 2 / 252)
    assert (found[0].p is None) == (verdict == "too few seeds")


def test_tests_that_cannot_succeed_do_not_count() -> None:
    """One pair of 5 against 5 that is tested as if it were alone, among many that cannot be."""
    alone = compared(LOW, HIGH)
    fives = [compared(LOW, HIGH[:3])] * 16  # the least p is 2 / 56: fine alone, not twice
    threes = [compared(LOW[:3], HIGH[:3])] * 30
    found = corrected([*threes, alone, *fives])
    assert found[30] == alone
    assert found[30].p_holm == pytest.approx(2 / 252)
    others = [*found[:30], *found[31:]]
    assert {(one.p, one.p_holm, one.verdict) for one in others} == {(None, None, "too few seeds")}
    assert found[0].smallest_p_holm == pytest.approx(2 * 0.1)
    assert found[-1].smallest_p_holm == pytest.approx(2 * 2 / 56)


@pytest.mark.parametrize(
    ("smallest", "made"),
    [
        ([], 1),
        ([0.1] * 9, 1),
        ([0.04], 1),
        ([0.05], 1),
        ([0.04, 0.04], 2),  # neither reaches 0.025: none is made
        ([0.01, 0.04], 2),
        ([0.01] * 5, 5),
        ([0.01] * 6, 6),
        ([0.001, 0.001, 0.02, 0.02, 0.04], 3),
    ],
)
def test_how_many_tests_are_worth_making(smallest: list[float], made: int) -> None:
    """The smallest k such that no more than k of the least p are at most 0.05 / k."""
    assert worth_making(smallest) == made
    assert sum(p <= 0.05 / made for p in smallest) <= made


def test_too_few_seeds_for_a_test_alone_need_no_correction() -> None:
    found = corrected([compared(LOW[:3], HIGH[:3])] * 5)
    assert {one.smallest_p_holm for one in found} == {found[0].smallest_p}


@pytest.mark.slow
def test_false_alarms_stay_below_5_percent_in_a_family_of_unequal_tests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All values from one distribution: some test of the family errs in at most 5 % of cases."""
    monkeypatch.setattr(statistics, "RESAMPLES", 10)  # of the bootstrap, which is not asked here
    random = np.random.default_rng(0)
    sizes = [(5, 5), (5, 5), (4, 5), (4, 4), (3, 3), (3, 3)]
    repeats = 400
    alarms = 0
    for _ in range(repeats):
        family = [compared(random.normal(size=n), random.normal(size=m)) for n, m in sizes]
        alarms += any(one.verdict.endswith("higher") for one in corrected(family))
    assert 0 < alarms / repeats < 0.05 + 2 * math.sqrt(0.05 * 0.95 / repeats)


def test_of_three_values_the_bootstrap_covers_too_little() -> None:
    """Why tables print Welch's intervals: both sides from one distribution, 400 times."""
    random = np.random.default_rng(0)
    repeats = 400
    welch = bootstrap = student = 0
    for _ in range(repeats):
        found = difference("x", "a", random.normal(size=3), "b", random.normal(size=3))
        welch += found.low <= 0 <= found.high
        bootstrap += found.bootstrap_low <= 0 <= found.bootstrap_high
        one = estimate(random.normal(size=3))
        student += abs(one.mean) <= one.margin
    assert student / repeats > 0.92
    assert welch / repeats > 0.92
    assert bootstrap / repeats < 0.87


def test_the_same_call_gives_the_same_and_leaves_global_generators_alone() -> None:
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    once = compared(A, B)
    ties = compared([0.0] * 4, [0.0, 1.0, 1.0, 1.0])
    assert compared(A, B) == once
    assert compared([0.0] * 4, [0.0, 1.0, 1.0, 1.0]) == ties
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)

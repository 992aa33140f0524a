"""Check intervals, tests and verdicts against closed forms and by simulation."""

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


def test_the_interval_of_a_mean_is_student_s() -> None:
    three = estimate([1.0, 2.0, 6.0])
    assert three.mean == 3
    assert three.margin == pytest.approx(4.302653 * 7**0.5 / 3**0.5, rel=1e-6)  # t, 2 d.o.f.
    assert estimate([5.0]).margin is None


def test_the_interval_of_a_difference_is_welch_s() -> None:
    """Expected by Welch's formulas, with degrees of freedom by Satterthwaite."""
    a, b = np.var(A, ddof=1) / len(A), np.var(B, ddof=1) / len(B)
    freedom = (a + b) ** 2 / (a**2 / (len(A) - 1) + b**2 / (len(B) - 1))
    margin = stats.t.ppf(0.975, freedom) * math.sqrt(a + b)
    found = compared(A, B)
    assert (found.mean_first, found.mean_second) == (np.mean(A), np.mean(B))
    assert found.mean == pytest.approx(np.mean(A) - np.mean(B))
    assert found.low == pytest.approx(found.mean - margin)
    assert found.high == pytest.approx(found.mean + margin)
    assert (found.n_first, found.n_second) == (5, 4)


def test_hedges_g_matches_a_hand_calculation() -> None:
    """1, 2, 3 and 3, 4, 5 give d = -2. The factor for 4 degrees of freedom is 2 / sqrt(2 pi)."""
    assert hedges_g([1, 2, 3], [3, 4, 5]) == pytest.approx(-2 * 2 / math.sqrt(2 * math.pi))
    assert hedges_g([3, 4, 5], [1, 2, 3]) > 0
    assert hedges_g([1, 2, 3], [3]) is None
    assert hedges_g([2, 2], [3, 3]) is None


@pytest.mark.parametrize(
    ("n", "m", "least"), [(3, 3, 0.1), (5, 5, 2 / 252), (1, 1, 1), (3, 5, 2 / 56)]
)
def test_sides_that_do_not_overlap_give_the_smallest_p(n: int, m: int, least: float) -> None:
    assert smallest_p(n, m) == pytest.approx(least)
    apart = stats.mannwhitneyu(range(n), range(10, 10 + m), method="exact")
    assert apart.pvalue == pytest.approx(least)


def test_p_comes_from_the_exact_rank_test() -> None:
    found = compared(A, B)
    assert found.p == found.p_holm == stats.mannwhitneyu(A, B, method="exact").pvalue
    assert found.superiority == pytest.approx(1 / 20)  # among 20 pairs, only 14 > 13
    assert found.verdict == "second higher"
    assert compared(B, A).verdict == "first higher"
    assert compared(A, [x + 0.1 for x in A]).verdict == "no difference shown"


def test_ties_are_tested_over_all_orders_of_few_values() -> None:
    """With five 0s and three 1s, all 1s are on one side in 2 * C(5, 1) of C(8, 4) orders."""
    found = compared([0.0] * 4, [0.0, 1.0, 1.0, 1.0])
    assert found.p == pytest.approx(10 / 70)
    assert found.superiority == pytest.approx(4 * 0.5 / 16)


def test_equal_values_give_finite_numbers() -> None:
    same = compared([1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0])
    assert (same.mean, same.low, same.high, same.bootstrap_low) == (0, 0, 0, 0)
    assert (same.effect, same.superiority, same.p) == (None, 0.5, 1)
    assert same.verdict == "no difference shown"


def test_one_side_without_variance_gives_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    """Welch's interval then equals Student's interval of the other side, shifted."""
    found = compared([1.0, 2.0, 6.0], [20.0, 20.0, 20.0])
    assert found.high == pytest.approx(-17 + 4.302653 * 7**0.5 / 3**0.5, rel=1e-6)
    assert not list(recwarn)


def test_one_value_has_no_interval() -> None:
    found = compared([1.0], [2.0, 3.0])
    assert found.mean == -1.5
    assert {found.low, found.high, found.bootstrap_low, found.bootstrap_high, found.effect} == {
        None
    }


def test_three_against_three_values_are_never_tested() -> None:
    found = compared([1.0, 2.0, 3.0], [101.0, 102.0, 103.0])
    assert (found.verdict, found.p, found.p_holm) == ("too few seeds", None, None)
    assert found.smallest_p == pytest.approx(0.1)
    assert found.superiority == 0
    assert found.high is not None
    assert found.high < 0  # Welch's interval still shows the difference


def test_holm_matches_a_hand_calculation() -> None:
    """Sorted, 0.01, 0.02, 0.03, 0.5 are multiplied by 4, 3, 2, 1, and must not decrease."""
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


LOW = [1.0, 2.0, 3.0, 4.0, 5.0]
HIGH = [6.0, 7.0, 8.0, 9.0, 10.0]


def test_tests_are_corrected_together() -> None:
    clear, vague = compared(LOW, HIGH), compared(LOW, [1.5, 2.5, 3.5, 4.5, 0.5])
    first, second, third = corrected([clear, vague, compared([1.0, 2.0], [3.0, 4.0])])
    assert first.p == second.smallest_p == pytest.approx(2 / 252)
    assert first.p_holm == pytest.approx(4 / 252)  # times two: the third pair is not tested
    assert second.p_holm == second.p
    assert first.smallest_p_holm == second.smallest_p_holm == pytest.approx(4 / 252)
    assert [first.verdict, second.verdict] == ["second higher", "no difference shown"]
    assert (third.p, third.p_holm, third.verdict) == (None, None, "too few seeds")
    assert third.smallest_p_holm == pytest.approx(2 * 2 / 6)


@pytest.mark.parametrize(("tests", "verdict"), [(6, "second higher"), (7, "too few seeds")])
def test_six_tests_of_5_against_5_can_succeed_and_seven_cannot(tests: int, verdict: str) -> None:
    """6 * 2 / 252 = 0.0476, and 7 * 2 / 252 = 0.0556."""
    found = corrected([compared(LOW, HIGH)] * tests)
    assert {result.verdict for result in found} == {verdict}
    assert found[0].smallest_p_holm == pytest.approx(tests * 2 / 252)
    assert (found[0].p is None) == (verdict == "too few seeds")


def test_tests_that_cannot_succeed_are_not_corrected_for() -> None:
    """One pair of 5 against 5 values, among many smaller ones, is tested as if it were alone."""
    alone = compared(LOW, HIGH)
    fives = [compared(LOW, HIGH[:3])] * 16  # their smallest p, 2 / 56, suffices for one test only
    threes = [compared(LOW[:3], HIGH[:3])] * 30
    found = corrected([*threes, alone, *fives])
    assert found[30] == alone
    assert found[30].p_holm == pytest.approx(2 / 252)
    others = [*found[:30], *found[31:]]
    assert {(r.p, r.p_holm, r.verdict) for r in others} == {(None, None, "too few seeds")}
    assert found[0].smallest_p_holm == pytest.approx(2 * 0.1)
    assert found[-1].smallest_p_holm == pytest.approx(2 * 2 / 56)


@pytest.mark.parametrize(
    ("smallest", "made"),
    [
        ([], 1),
        ([0.1] * 9, 1),
        ([0.04], 1),
        ([0.05], 1),
        ([0.04, 0.04], 2),  # neither reaches 0.025, so no test is made
        ([0.01, 0.04], 2),
        ([0.01] * 5, 5),
        ([0.01] * 6, 6),
        ([0.001, 0.001, 0.02, 0.02, 0.04], 3),
    ],
)
def test_how_many_tests_are_worth_making(smallest: list[float], made: int) -> None:
    """The result is the smallest k such that at most k of the p-values are at most 0.05 / k."""
    assert worth_making(smallest) == made
    assert sum(p <= 0.05 / made for p in smallest) <= made


def test_skipped_tests_are_not_corrected_for_each_other() -> None:
    found = corrected([compared(LOW[:3], HIGH[:3])] * 5)
    assert {result.smallest_p_holm for result in found} == {found[0].smallest_p}


@pytest.mark.slow
def test_false_alarms_stay_below_5_percent_in_a_family_of_unequal_tests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All values have one distribution, so a family may have a false alarm in at most 5 %."""
    monkeypatch.setattr(statistics, "RESAMPLES", 10)  # a fast bootstrap; the test ignores it
    random = np.random.default_rng(0)
    sizes = [(5, 5), (5, 5), (4, 5), (4, 4), (3, 3), (3, 3)]
    repeats = 400
    alarms = 0
    for _ in range(repeats):
        family = [compared(random.normal(size=n), random.normal(size=m)) for n, m in sizes]
        alarms += any(result.verdict.endswith("higher") for result in corrected(family))
    assert 0 < alarms / repeats < 0.05 + 2 * math.sqrt(0.05 * 0.95 / repeats)


def test_the_bootstrap_of_three_values_covers_too_little() -> None:
    """This is why tables print Welch's intervals. Both sides have one distribution, 400 times."""
    random = np.random.default_rng(0)
    repeats = 400
    welch = bootstrap = student = 0
    for _ in range(repeats):
        found = difference("x", "a", random.normal(size=3), "b", random.normal(size=3))
        welch += found.low <= 0 <= found.high
        bootstrap += found.bootstrap_low <= 0 <= found.bootstrap_high
        single = estimate(random.normal(size=3))
        student += abs(single.mean) <= single.margin
    assert student / repeats > 0.92
    assert welch / repeats > 0.92
    assert bootstrap / repeats < 0.87


def test_comparing_is_deterministic_and_leaves_global_generators_alone() -> None:
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    once = compared(A, B)
    ties = compared([0.0] * 4, [0.0, 1.0, 1.0, 1.0])
    assert compared(A, B) == once
    assert compared([0.0] * 4, [0.0, 1.0, 1.0, 1.0]) == ties
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)

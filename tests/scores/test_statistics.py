"""Check tests, corrections and verdicts against closed forms and by simulation."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from ganvae.scores.statistics import (
    Difference,
    corrected,
    difference,
    holm,
    turned,
    worth_making,
)

A, B = [9.0, 11.0, 10.0, 14.0, 12.5], [15.0, 13.0, 20.0, 18.0]


def compared(a: list[float], b: list[float], score: str = "fid_judge") -> Difference:
    return difference(score, "gan", a, "vae", b)


def test_p_comes_from_the_exact_rank_test() -> None:
    found = compared(A, B)
    assert found.p == stats.mannwhitneyu(A, B, method="exact").pvalue
    assert found.verdict == "first better"
    assert compared(B, A).verdict == "second better"


def test_pin_14_the_better_side_follows_the_direction_of_the_score() -> None:
    fid, recall = compared(LOW, HIGH), compared(LOW, HIGH, "recall_judge")
    assert (fid.verdict, fid.better, fid.scale) == ("first better", 1, "log")
    assert (recall.verdict, recall.better, recall.scale) == ("second better", 0, "linear")
    assert fid.effect == pytest.approx(math.exp(np.mean(np.log(LOW)) - np.mean(np.log(HIGH))))
    assert recall.effect == pytest.approx(3 - 8)
    assert (recall.mean_first, recall.mean_second) == (3, 8)
    assert fid.mean_first == pytest.approx(math.prod(LOW) ** 0.2)


@pytest.mark.parametrize("score", ["fid_judge", "recall_judge"])
def test_a_comparison_can_be_turned_round(score: str) -> None:
    there, back = turned(compared(A, B, score)), difference(score, "vae", B, "gan", A)
    for name, expected in vars(back).items():
        found = getattr(there, name)
        assert found == (pytest.approx(expected) if isinstance(expected, float) else expected), name
    lone = turned(compared([0.0], [2.0], score))
    assert (lone.better_low, lone.low) == (None, None)


def test_ties_are_tested_over_all_orders_of_few_values() -> None:
    """With five 0s and three 1s, all 1s are on one side in 2 * C(5, 1) of C(8, 4) orders."""
    found = compared([0.0] * 4, [0.0, 1.0, 1.0, 1.0], "recall_judge")
    assert found.p == pytest.approx(10 / 70)
    assert found.better == pytest.approx(4 * 0.5 / 16)


def test_identical_values_on_both_sides_are_undecided_without_spread() -> None:
    same = compared([1.0] * 4, [1.0] * 4)
    assert (same.effect, same.low, same.high, same.better, same.p) == (1, 1, 1, 0.5, 1)
    assert (same.deviation, same.detectable, same.verdict) == (0, None, "undecided")


def test_pin_14_no_difference_is_said_only_after_a_test_of_equivalence() -> None:
    near = [9.9, 9.95, 10.0, 10.05, 10.1]
    assert compared(near, [x + 0.01 for x in near]).verdict == "equivalent"
    wide = [6.0, 8.0, 10.0, 12.0, 14.0]
    found = compared(wide, [x + 0.1 for x in wide])
    assert found.verdict == "undecided"
    assert found.detectable and found.detectable > 1.25
    # recall has no margin of equivalence
    assert compared(near, [x + 0.01 for x in near], "recall_judge").verdict == "undecided"


def test_an_fid_of_zero_leaves_the_rank_test() -> None:
    found = compared([0.0, 1.0, 2.0, 3.0, 4.0], HIGH)
    assert (found.effect, found.low, found.deviation, found.detectable) == (None,) * 4
    assert (found.mean_first, found.better, found.verdict) == (0, 1, "first better")
    assert found.p == pytest.approx(2 / 252)


def test_one_value_has_no_interval() -> None:
    found = compared([1.0], [2.0, 4.5])
    assert found.effect == pytest.approx(1 / 3)
    assert {found.low, found.high, found.better_low, found.better_high} == {None}
    lone = compared([1.0], [2.0])
    assert (lone.deviation, lone.p, lone.smallest_p, lone.verdict) == (
        None,
        None,
        1,
        "too few seeds",
    )


def test_three_against_three_values_are_never_tested() -> None:
    found = compared([1.0, 2.0, 3.0], [101.0, 102.0, 103.0])
    assert (found.verdict, found.p, found.detectable) == ("too few seeds", None, None)
    assert found.smallest_p == pytest.approx(0.1)
    assert found.better == 1
    assert found.high < 1  # Welch's interval still shows the difference


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
    assert clear.p == pytest.approx(2 / 252)
    assert first.p == pytest.approx(4 / 252)  # times two: the third pair is not tested
    assert second.p == vague.p
    assert first.smallest_p == second.smallest_p == pytest.approx(4 / 252)
    assert [first.verdict, second.verdict] == ["first better", "undecided"]
    assert second.detectable > vague.detectable  # a stricter level shows less
    assert (third.p, third.verdict, third.detectable) == (None, "too few seeds", None)
    assert third.smallest_p == pytest.approx(2 * 2 / 6)


def test_tests_made_together_show_no_equivalence() -> None:
    near = [9.9, 9.95, 10.0, 10.05, 10.1]
    alone = compared(near, [x + 0.01 for x in near])
    assert [each.verdict for each in corrected([alone, alone])] == ["undecided"] * 2


@pytest.mark.parametrize(("tests", "verdict"), [(6, "first better"), (7, "too few seeds")])
def test_six_tests_of_5_against_5_can_succeed_and_seven_cannot(tests: int, verdict: str) -> None:
    """6 * 2 / 252 = 0.0476, and 7 * 2 / 252 = 0.0556."""
    found = corrected([compared(LOW, HIGH)] * tests)
    assert {result.verdict for result in found} == {verdict}
    assert found[0].smallest_p == pytest.approx(tests * 2 / 252)
    assert (found[0].p is None) == (verdict == "too few seeds")


def test_tests_that_cannot_succeed_are_not_corrected_for() -> None:
    """One pair of 5 against 5 values, among many smaller ones, is tested as if it were alone."""
    alone = compared(LOW, HIGH)
    fives = [compared(LOW, HIGH[:3])] * 16  # their smallest p, 2 / 56, suffices for one test only
    threes = [compared(LOW[:3], HIGH[:3])] * 30
    found = corrected([*threes, alone, *fives])
    assert found[30] == alone
    assert found[30].p == pytest.approx(2 / 252)
    others = [*found[:30], *found[31:]]
    assert {(r.p, r.verdict) for r in others} == {(None, "too few seeds")}
    assert found[0].smallest_p == pytest.approx(2 * 0.1)
    assert found[-1].smallest_p == pytest.approx(2 * 2 / 56)


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
    assert {result.smallest_p for result in found} == {found[0].smallest_p}


@pytest.mark.slow
def test_false_alarms_stay_below_5_percent_in_a_family_of_unequal_tests() -> None:
    """All values have one distribution, so a family may have a false alarm in at most 5 %."""
    random = np.random.default_rng(0)
    sizes = [(5, 5), (5, 5), (4, 5), (4, 4), (3, 3), (3, 3)]
    repeats = 400
    alarms = 0
    for _ in range(repeats):
        family = [compared(random.lognormal(size=n), random.lognormal(size=m)) for n, m in sizes]
        alarms += any(result.verdict.endswith("better") for result in corrected(family))
    assert 0 < alarms / repeats < 0.05 + 2 * math.sqrt(0.05 * 0.95 / repeats)


def test_comparing_is_deterministic_and_leaves_global_generators_alone() -> None:
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    once = compared(A, B)
    ties = compared([0.0] * 4, [0.0, 1.0, 1.0, 1.0])
    assert compared(A, B) == once
    assert compared([0.0] * 4, [0.0, 1.0, 1.0, 1.0]) == ties
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)

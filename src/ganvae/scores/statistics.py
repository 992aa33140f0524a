"""Comparisons of two variants by one score: the difference, how sure it is, and the verdict.

Each comparison has at most one p-value. It comes from an exact rank test, which needs no assumption
on the distribution of a score. If several comparisons are tested together, `corrected` replaces
their p-values by corrected ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import stats

from ganvae.scores.catalogue import SCORES
from ganvae.scores.intervals import ALPHA, Scale, effect, mean, pooled_deviation
from ganvae.scores.power import detectable, smallest_p
from ganvae.scores.superiority import superiority

RESAMPLES = 9999

Verdict = Literal["first better", "second better", "equivalent", "undecided", "too few seeds"]


@dataclass(frozen=True)
class Difference:
    """The comparison of ``first`` with ``second`` by one score.

    Attributes:
        scale: the scale of the score. It decides what a mean and an effect are.
        n_first, n_second: the number of values on each side.
        mean_first, mean_second: arithmetic means on a linear scale, geometric means on a log scale.
        effect: first minus second on a linear scale, first divided by second on a log scale. None
            on a log scale if a value is 0.
        low, high: the ends of Welch's 95 % confidence interval of the effect. None if a side has
            only one value.
        better: the share of the pairs of values in which the first side is better. Ties count half.
            It estimates the probability that a random run of the first side is better.
        better_low, better_high: the ends of the 95 % confidence interval of this probability.
            None if a side has only one value.
        p: the p-value of the two-sided Mann-Whitney test, corrected for all tests made together.
            None if no test was made, because no order of the values would be significant at 5 %.
        smallest_p: ``p`` if all values of one side exceeded all values of the other side.
        deviation: the pooled standard deviation of the two sides, on a log scale that of the
            natural logarithms. None if each side has one value, or on a log scale if a value is 0.
        detectable: the smallest difference (on a log scale, the smallest ratio above 1) that the
            test would show with a power of 80 %. None if no such difference is defined
            (`power.detectable`).
        verdict: ``equivalent`` means that the ratio is shown to lie within `intervals.MARGIN`.
            ``undecided`` means that neither a difference nor equivalence is shown.
    """

    score: str
    scale: Scale
    first: str
    second: str
    n_first: int
    n_second: int
    mean_first: float
    mean_second: float
    effect: float | None
    low: float | None
    high: float | None
    better: float
    better_low: float | None
    better_high: float | None
    p: float | None
    smallest_p: float
    deviation: float | None
    detectable: float | None
    verdict: Verdict


def difference(
    score: str, first: str, a: Sequence[float], second: str, b: Sequence[float]
) -> Difference:
    """Compare the values of one score between two sides.

    The verdict comes from a single test, planned in advance. If several tests are made, call
    `corrected` on all differences.

    Args:
        score: the name of a score in the catalogue.
        first, second: the names of the two sides.
        a: the values of ``first``, at least one.
        b: the values of ``second``, at least one.
    """
    scale = SCORES[score].scale
    found, probability = effect(a, b, scale), superiority(a, b, SCORES[score].better == "lower")
    p, deviation = rank_test(a, b), pooled_deviation(a, b, scale)
    return Difference(
        score=score,
        scale=scale,
        first=first,
        second=second,
        n_first=len(a),
        n_second=len(b),
        mean_first=mean(a, scale),
        mean_second=mean(b, scale),
        effect=found.size,
        low=found.low,
        high=found.high,
        better=probability.share,
        better_low=probability.low,
        better_high=probability.high,
        p=p,
        smallest_p=smallest_p(len(a), len(b)),
        deviation=deviation,
        detectable=detectable(len(a), len(b), deviation, scale),
        verdict=_verdict(p, probability.share, found.equivalent),
    )


def turned(found: Difference) -> Difference:
    """Exchange the two sides of a comparison."""
    exchanged: dict[Verdict, Verdict] = {
        "first better": "second better",
        "second better": "first better",
    }
    low, effect, high = (
        _turned_effect(found, end) for end in (found.high, found.effect, found.low)
    )
    return replace(
        found,
        first=found.second,
        second=found.first,
        n_first=found.n_second,
        n_second=found.n_first,
        mean_first=found.mean_second,
        mean_second=found.mean_first,
        effect=effect,
        low=low,
        high=high,
        better=1 - found.better,
        better_low=None if found.better_high is None else 1 - found.better_high,
        better_high=None if found.better_low is None else 1 - found.better_low,
        verdict=exchanged.get(found.verdict, found.verdict),
    )


def _turned_effect(found: Difference, effect: float | None) -> float | None:
    if effect is None:
        return None
    return 1 / effect if found.scale == "log" else -effect


def rank_test(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return the two-sided p-value of the Mann-Whitney test.

    Without ties, the p-value comes from the exact distribution of the statistic U. With ties, the
    p-value comes from a permutation test. The permutation test uses all permutations of the values,
    or `RESAMPLES` random permutations if there are more than `RESAMPLES`.

    Returns:
        The p-value. None if even the most extreme order of so few values is not significant at 5 %.
    """
    if smallest_p(len(a), len(b)) > ALPHA:
        return None
    ties = len({*a, *b}) < len(a) + len(b)
    orders = stats.PermutationMethod(n_resamples=RESAMPLES, rng=np.random.default_rng(0))
    return float(stats.mannwhitneyu(a, b, method=orders if ties else "exact").pvalue)


def corrected(differences: Sequence[Difference]) -> list[Difference]:
    """Test several differences together. Their p-values are replaced by Holm's corrected ones.

    A test is skipped if no order of the values could make its result significant after the
    correction. A skipped test gets no p-value, and the other p-values are not corrected for it.
    This is valid, because only the numbers of values decide which tests are skipped, not the values
    themselves (`worth_making`).

    Equivalence is not tested, because its tests would need a correction of their own. So the
    verdict ``equivalent`` becomes ``undecided``.

    Args:
        differences: results of `difference`.

    Returns:
        The differences, in the given order.
    """
    limit = worth_making([result.smallest_p for result in differences])
    tested = [
        index
        for index, result in enumerate(differences)
        if result.p is not None and result.smallest_p <= ALPHA / limit
    ]
    ps = holm([differences[index].p or 0.0 for index in tested])
    least = holm([differences[index].smallest_p for index in tested])
    results = [_skipped(result, limit) for result in differences]
    for index, p, smallest in zip(tested, ps, least, strict=True):
        results[index] = _tested(differences[index], p, smallest, len(tested))
    return results


def worth_making(smallest_ps: Sequence[float]) -> int:
    """Return K, the smallest k such that at most k tests can have a p-value of ALPHA / k or less.

    A test should be made if its smallest possible p-value is at most ALPHA / K. At most K tests
    meet this condition, so each can be significant after a correction for K tests. (Tarone 1990,
    Biometrics 46, 515-522.)

    Args:
        smallest_ps: the smallest possible p-value of each test.
    """
    k = 1
    while sum(p <= ALPHA / k for p in smallest_ps) > k:
        k += 1
    return k


def holm(ps: Sequence[float]) -> list[float]:
    """Correct p-values for the number of tests by Holm's step-down method.

    The k-th smallest of m p-values is multiplied by m - k + 1. A smaller p-value never gets a
    larger corrected value, and corrected values are at most 1. (Holm 1979, Scandinavian Journal of
    Statistics 6, 65-70.)

    Returns:
        The corrected p-values, in the order of ``ps``.
    """
    order = np.argsort(ps)
    factors = np.arange(len(ps), 0, -1)
    result = np.empty(len(ps))
    result[order] = np.minimum(np.maximum.accumulate(np.array(ps)[order] * factors), 1)
    return [float(p) for p in result]


def _verdict(p: float | None, better: float, equivalent: bool | None) -> Verdict:
    if p is None:
        return "too few seeds"
    if p <= ALPHA:
        return "first better" if better > 0.5 else "second better"
    return "equivalent" if equivalent else "undecided"


def _tested(result: Difference, p: float, least: float, tests: int) -> Difference:
    verdict = _verdict(p, result.better, None)
    n, m = result.n_first, result.n_second
    found = detectable(n, m, result.deviation, result.scale, tests)
    return replace(result, p=p, smallest_p=least, detectable=found, verdict=verdict)


def _skipped(result: Difference, limit: int) -> Difference:
    least = min(1.0, result.smallest_p * limit)
    return replace(result, p=None, smallest_p=least, detectable=None, verdict="too few seeds")

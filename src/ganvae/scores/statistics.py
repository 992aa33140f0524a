"""Means over seeds and differences between means, computed in float64.

With few seeds, some intervals are too narrow. A percentile bootstrap of three values has only ten
different resamples, and cannot describe the tails of the distribution. For the difference of two
means of three values, a "95 %" bootstrap interval contains the true difference only about 82 times
in 100. The intervals of Student and Welch contain the true value 95 times in 100, if the scores are
roughly normal. So tables print Welch's interval. comparison.json also has the bootstrap interval,
which assumes no normality.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import special, stats

CONFIDENCE = 0.95
ALPHA = 0.05
RESAMPLES = 9999

Verdict = Literal["first higher", "second higher", "no difference shown", "too few seeds"]


@dataclass(frozen=True)
class Estimate:
    """A mean over random seeds.

    Attributes:
        margin: half the width of the 95 % confidence interval. None for a single seed.
        n: the number of seeds.
    """

    mean: float
    margin: float | None
    n: int


@dataclass(frozen=True)
class Difference:
    """The difference of a score between ``first`` and ``second``.

    Attributes:
        n_first, n_second: the number of values on each side.
        mean: the difference of the means, first minus second.
        low, high: the ends of Welch's 95 % confidence interval of the difference of the means.
            None if a side has only one value.
        bootstrap_low, bootstrap_high: the ends of the 95 % interval of the difference by the
            percentile bootstrap. None if a side has only one value.
        effect: Hedges' g. None if g is not defined (`hedges_g`).
        superiority: P(first > second) + P(equal) / 2, in [0, 1].
        p: the p-value of the two-sided Mann-Whitney test. None if no test was made, because even
            the most extreme ranks would not be significant at 5 % (`corrected`).
        smallest_p: the p-value if all values of one side exceeded all values of the other side.
        p_holm: ``p`` after Holm's correction for all tests made together.
        smallest_p_holm: ``smallest_p`` after the correction for all tests made together.
    """

    score: str
    first: str
    second: str
    n_first: int
    n_second: int
    mean_first: float
    mean_second: float
    mean: float
    low: float | None
    high: float | None
    bootstrap_low: float | None
    bootstrap_high: float | None
    effect: float | None
    superiority: float
    p: float | None
    smallest_p: float
    p_holm: float | None
    smallest_p_holm: float
    verdict: Verdict


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of values, and its interval by Student's t (n - 1 degrees of freedom)."""
    n = len(values)
    mean = float(np.mean(values))
    if n < 2:
        return Estimate(mean, None, n)
    t = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)
    return Estimate(mean, float(t * np.std(values, ddof=1) / math.sqrt(n)), n)


def difference(
    score: str, first: str, a: Sequence[float], second: str, b: Sequence[float]
) -> Difference:
    """Compare the values of one score between two sides.

    The verdict comes from a single test. If several tests are made, call `corrected` on all
    differences.

    Args:
        first, second: the names of the two sides.
        a: the values of ``first``, at least one.
        b: the values of ``second``, at least one.
    """
    low, high = _welch(a, b)
    bootstrap_low, bootstrap_high = _bootstrap(a, b)
    smallest = smallest_p(len(a), len(b))
    alone = Difference(
        score=score,
        first=first,
        second=second,
        n_first=len(a),
        n_second=len(b),
        mean_first=float(np.mean(a)),
        mean_second=float(np.mean(b)),
        mean=float(np.mean(a) - np.mean(b)),
        low=low,
        high=high,
        bootstrap_low=bootstrap_low,
        bootstrap_high=bootstrap_high,
        effect=hedges_g(a, b),
        superiority=float(stats.mannwhitneyu(a, b).statistic) / (len(a) * len(b)),
        p=_rank_test(a, b) if smallest <= ALPHA else None,
        smallest_p=smallest,
        p_holm=None,
        smallest_p_holm=smallest,
        verdict="too few seeds",
    )
    return corrected([alone])[0]


def corrected(differences: Sequence[Difference]) -> list[Difference]:
    """Test several differences together. The verdicts use p-values after Holm's correction.

    A test is skipped if no ranks could make its result significant after the correction. A skipped
    test gets no p-value, and the other p-values are not corrected for skipped tests. This is valid,
    because only the numbers of values decide which tests are skipped, not the values themselves
    (`worth_making`).

    Returns:
        The differences, in the given order.
    """
    limit = worth_making([result.smallest_p for result in differences])
    tested = {
        index: result.p
        for index, result in enumerate(differences)
        if result.p is not None and result.smallest_p <= ALPHA / limit
    }
    ps = dict(zip(tested, holm(list(tested.values())), strict=True))
    least = dict(
        zip(tested, holm([differences[index].smallest_p for index in tested]), strict=True)
    )
    return [
        _judged(result, ps[index], least[index]) if index in tested else _skipped(result, limit)
        for index, result in enumerate(differences)
    ]


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


def _judged(result: Difference, p: float, least: float) -> Difference:
    verdict: Verdict = "no difference shown"
    if p <= ALPHA:
        verdict = "first higher" if result.superiority > 0.5 else "second higher"
    return replace(result, p_holm=p, smallest_p_holm=least, verdict=verdict)


def _skipped(result: Difference, limit: int) -> Difference:
    least = min(1.0, result.smallest_p * limit)
    return replace(result, p=None, p_holm=None, smallest_p_holm=least, verdict="too few seeds")


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


def smallest_p(n: int, m: int) -> float:
    """Return the smallest two-sided p-value of a rank test of ``n`` against ``m`` values.

    This p-value occurs if all values of one side exceed all values of the other side. The ranks can
    be divided between the two sides in C(n + m, n) equally likely ways. Two of these ways have this
    property.
    """
    return min(1.0, 2 / math.comb(n + m, n))


def hedges_g(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return Hedges' g: the difference of the means (a minus b) in pooled standard deviations.

    An exact factor removes the bias for few values. (Hedges 1981, Journal of Educational Statistics
    6, 107-128, eq. 6e.) The result is None if a side has fewer than two values, or if neither side
    has any variance.
    """
    if not _varies(a, b):
        return None
    n, m = len(a), len(b)
    freedom = n + m - 2
    pooled = ((n - 1) * np.var(a, ddof=1) + (m - 1) * np.var(b, ddof=1)) / freedom
    factor = math.exp(special.gammaln(freedom / 2) - special.gammaln((freedom - 1) / 2))
    factor /= math.sqrt(freedom / 2)
    return float(factor * (np.mean(a) - np.mean(b)) / math.sqrt(pooled))


def _varies(a: Sequence[float], b: Sequence[float]) -> bool:
    """Return whether both sides have two or more values, and at least one side's values vary."""
    return min(len(a), len(b)) > 1 and max(np.ptp(a), np.ptp(b)) > 0


def _welch(a: Sequence[float], b: Sequence[float]) -> tuple[float | None, float | None]:
    if min(len(a), len(b)) < 2:
        return None, None
    if not _varies(a, b):  # like Student's interval of equal values, this one has no width
        same = float(np.mean(a) - np.mean(b))
        return same, same
    with warnings.catch_warnings():  # SciPy warns if all values of one side are equal
        warnings.filterwarnings("ignore", message="Precision loss occurred")
        interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(CONFIDENCE)
    return float(interval.low), float(interval.high)


def _bootstrap(a: Sequence[float], b: Sequence[float]) -> tuple[float | None, float | None]:
    if min(len(a), len(b)) < 2:
        return None, None
    interval = stats.bootstrap(
        (a, b),
        lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def _rank_test(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the two-sided p-value of the Mann-Whitney test.

    Without ties, the p-value comes from the exact distribution of the statistic U. With ties, the
    p-value comes from a permutation test. The permutation test uses all permutations of the values,
    or `RESAMPLES` random permutations if there are more than `RESAMPLES`.
    """
    ties = len({*a, *b}) < len(a) + len(b)
    orders = stats.PermutationMethod(n_resamples=RESAMPLES, rng=np.random.default_rng(0))
    return float(stats.mannwhitneyu(a, b, method=orders if ties else "exact").pvalue)

"""Means over seeds and differences between them; plain numbers in, float64.

With few seeds much is unknown, and the tools differ in how well they say so. Of three values a
percentile bootstrap has but ten different resamples and no idea of the tails: its "95 %" interval
of the difference of two such means holds the truth some 82 times in 100. Student's and Welch's
hold it 95 times where scores are roughly normal. So tables print Welch's; the bootstrap's, which
asks for no normality, stands beside it in comparison.json.
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
    """A mean over training seeds; ``margin`` is half the 95 % interval, None for one seed."""

    mean: float
    margin: float | None
    n: int


@dataclass(frozen=True)
class Difference:
    """How a score of ``first`` differs from that of ``second``.

    ``mean``: difference of the means, first minus second; ``low``, ``high``: its 95 % interval by
    Welch, None where a side has one value; ``bootstrap_low``, ``bootstrap_high``: the same by the
    percentile bootstrap. ``effect``: Hedges' g, None where it is not defined; ``superiority``:
    P(first > second) + P(equal) / 2, in [0, 1]. ``p``: two-sided Mann-Whitney test, ``p_holm``:
    corrected for the tests made together with it; both None where even the most extreme ranks,
    which give ``smallest_p`` (corrected: ``smallest_p_holm``), would not be significant at 5 %:
    nothing was tested (`corrected`).
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
    """Mean and Student's t interval of independent runs (n - 1 degrees of freedom)."""
    n = len(values)
    mean = float(np.mean(values))
    if n < 2:
        return Estimate(mean, None, n)
    t = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)
    return Estimate(mean, float(t * np.std(values, ddof=1) / math.sqrt(n)), n)


def difference(
    score: str, first: str, a: Sequence[float], second: str, b: Sequence[float]
) -> Difference:
    """Compare ``score`` of ``first`` (its values: ``a``) and ``second`` (``b``); none is empty.

    The verdict is that of one test by itself; where there are several, see `corrected`.
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
    """The same differences, tested together: verdicts by Holm's p-values.

    A test that could not succeed after correction, whatever the ranks, is not made; it gets no p,
    and it does not count as one of those that the others are corrected for. Whether it could
    depends on the numbers of values alone, not on the values, so it may be decided by that: see
    `worth_making`.
    """
    limit = worth_making([one.smallest_p for one in differences])
    made = {
        index: one.p
        for index, one in enumerate(differences)
        if one.p is not None and one.smallest_p <= ALPHA / limit
    }
    ps = dict(zip(made, holm(list(made.values())), strict=True))
    least = dict(zip(made, holm([differences[index].smallest_p for index in made]), strict=True))
    return [
        _judged(one, ps[index], least[index]) if index in made else _not_made(one, limit)
        for index, one in enumerate(differences)
    ]


def worth_making(smallest_ps: Sequence[float]) -> int:
    """K, the smallest k such that no more than k tests could ever reach ALPHA / k.

    Those that could reach ALPHA / K are the tests to make: they are no more than K, so that each
    of them can be significant after correction. (Tarone 1990, Biometrics 46, 515-522.)
    """
    k = 1
    while sum(p <= ALPHA / k for p in smallest_ps) > k:
        k += 1
    return k


def _judged(one: Difference, p: float, least: float) -> Difference:
    verdict: Verdict = "no difference shown"
    if p <= ALPHA:
        verdict = "first higher" if one.superiority > 0.5 else "second higher"
    return replace(one, p_holm=p, smallest_p_holm=least, verdict=verdict)


def _not_made(one: Difference, limit: int) -> Difference:
    least = min(1.0, one.smallest_p * limit)
    return replace(one, p=None, p_holm=None, smallest_p_holm=least, verdict="too few seeds")


def holm(ps: Sequence[float]) -> list[float]:
    """P-values corrected for their number by Holm's step-down method, in the order given.

    The k-th smallest of m is multiplied by m - k + 1; none may be below one that was smaller,
    nor above 1. (Holm 1979, Scandinavian Journal of Statistics 6, 65-70.)
    """
    order = np.argsort(ps)
    factors = np.arange(len(ps), 0, -1)
    result = np.empty(len(ps))
    result[order] = np.minimum(np.maximum.accumulate(np.array(ps)[order] * factors), 1)
    return [float(p) for p in result]


def smallest_p(n: int, m: int) -> float:
    """The least two-sided p of a rank test of ``n`` against ``m`` values: all of one side higher.

    Either of two of the equally likely orders of n + m values does that.
    """
    return min(1.0, 2 / math.comb(n + m, n))


def hedges_g(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Difference of the means in pooled standard deviations, its bias for few values removed.

    Hedges 1981, Journal of Educational Statistics 6, 107-128, eq. 6e (the exact factor). None if
    a side has fewer than two values, or nothing varies.
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
    """Both sides have two values or more, and those of one side at least are not all equal."""
    return min(len(a), len(b)) > 1 and max(np.ptp(a), np.ptp(b)) > 0


def _welch(a: Sequence[float], b: Sequence[float]) -> tuple[float | None, float | None]:
    if min(len(a), len(b)) < 2:
        return None, None
    if not _varies(a, b):  # as Student's interval of values that are all equal: of no width
        same = float(np.mean(a) - np.mean(b))
        return same, same
    with warnings.catch_warnings():  # of a side whose values are all equal: that is no fault here
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
    """Two-sided p, exact. The tables of U know no ties: with any, the values are reordered.

    In every way, which is exact too, or in `RESAMPLES` random ones where there are more.
    """
    ties = len({*a, *b}) < len(a) + len(b)
    orders = stats.PermutationMethod(n_resamples=RESAMPLES, rng=np.random.default_rng(0))
    return float(stats.mannwhitneyu(a, b, method=orders if ties else "exact").pvalue)

"""The probability that a random run of one variant is better than a random run of another."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import optimize, stats

from ganvae.scores.intervals import CONFIDENCE

MEANINGFUL = 0.75
"""A difference is called meaningful if the interval of the probability lies above this value."""


@dataclass(frozen=True)
class Superiority:
    """The probability that a random value of one side is better than one of the other side.

    Attributes:
        share: the share of the pairs of values in which the first side is better, in [0, 1]. Ties
            count half.
        low, high: the ends of the 95 % confidence interval of the probability. None if a side has
            only one value.
    """

    share: float
    low: float | None
    high: float | None


def superiority(a: Sequence[float], b: Sequence[float], lower_is_better: bool) -> Superiority:
    """Estimate the probability that a random value of ``a`` is better than one of ``b``.

    The interval is method 5 of Newcombe (2006, Statistics in Medicine 25, 559-573). It has a width
    even if all values of one side are better, where a bootstrap interval has none. How often the
    interval contains the true probability is measured in `benchmarks/coverage.py`.
    """
    n, m = len(a), len(b)
    above = float(stats.mannwhitneyu(a, b).statistic) / (n * m)
    share = 1 - above if lower_is_better else above
    if min(n, m) < 2:
        return Superiority(share, None, None)
    return Superiority(share, _end(share, n, m), 1 - _end(1 - share, n, m))


def can_be_meaningful(n: int, m: int) -> bool:
    """Whether the interval of ``n`` against ``m`` values can lie above `MEANINGFUL` at all."""
    return min(n, m) > 1 and _end(1.0, n, m) > MEANINGFUL


def _end(share: float, n: int, m: int) -> float:
    """Return the lower end of the interval.

    The lower end is the probability q below ``share`` with share - q = z sqrt(V(q)).
    """
    if share == 0:
        return 0.0
    z = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
    # At q = 0 and q = share, the difference has opposite signs. `tiny` keeps q = 1 out.
    tiny = 1e-12
    return float(
        optimize.brentq(
            lambda q: share - q - z * math.sqrt(_variance(q, n, m)), 0.0, share * (1 - tiny)
        )
    )


def _variance(q: float, n: int, m: int) -> float:
    """Return the variance of the share if the true probability is ``q``."""
    star = (n + m) / 2 - 1
    return q * (1 - q) * (1 + star * (1 - q) / (2 - q) + star * q / (1 + q)) / (n * m)

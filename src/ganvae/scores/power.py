"""Which differences a rank test of few values can show."""

import math
from functools import cache

import numpy as np

from ganvae.scores.intervals import ALPHA, Scale

POWER = 0.8
DRAWS = 20_000
MOST_PAIRS = 4_000_000
"""Large samples have fewer draws, so that all pairs of all draws fit in memory."""


def smallest_p(n: int, m: int) -> float:
    """Return the smallest two-sided p-value of a rank test of ``n`` against ``m`` values.

    This p-value occurs if all values of one side exceed all values of the other side. The ranks can
    be divided between the two sides in C(n + m, n) equally likely ways. Two of these ways have this
    property.
    """
    return min(1.0, 2 / math.comb(n + m, n))


def detectable(
    n: int, m: int, deviation: float | None, scale: Scale, tests: int = 1
) -> float | None:
    """Return the smallest difference that the rank test would show with a power of 80 %.

    The values (on a log scale, their logarithms) are assumed to be normal.

    Args:
        n, m: the number of values on each side.
        deviation: the standard deviation of both sides, on a log scale that of the logarithms.
        tests: the number of tests made together. The level of each is 5 % divided by this number.

    Returns:
        A difference above 0, or on a log scale a ratio above 1. None if no order of the values
        would be significant, or if the deviation is 0 or unknown.
    """
    shift = detectable_shift(n, m, ALPHA / tests)
    if shift is None or not deviation:
        return None
    return math.exp(shift * deviation) if scale == "log" else shift * deviation


@cache
def detectable_shift(n: int, m: int, level: float) -> float | None:
    """Return the shift between normal values that the rank test shows with a power of 80 %.

    The shift is in standard deviations. A test of ``n`` against ``m`` values is significant if at
    most c of the n x m pairs are in the wrong order. In one simulated draw, this is so if the shift
    exceeds the (c + 1)-th largest gap of the pairs. The result is a quantile of this gap.

    Returns:
        The shift. None if no order of the values is significant at ``level``.
    """
    wrong = most_in_wrong_order(n, m, level)
    if wrong is None:
        return None
    n, m = sorted((n, m))  # so that exchanged sides have exactly the same shift
    random = np.random.default_rng(0)
    draws = min(DRAWS, max(1000, MOST_PAIRS // (n * m)))
    first, second = random.normal(size=(draws, n, 1)), random.normal(size=(draws, 1, m))
    gaps = np.sort((second - first).reshape(draws, -1), axis=1)
    return float(np.quantile(gaps[:, -1 - wrong], POWER))


def most_in_wrong_order(n: int, m: int, level: float) -> int | None:
    """Return how many of the n x m pairs may be in the wrong order in a significant rank test.

    Returns:
        The largest c with 2 P(U <= c) <= ``level`` for the Mann-Whitney statistic U. None if there
        is no such c.
    """
    # the number of orders by the number of pairs in the wrong order (Mann and Whitney 1947, eq. 2)
    orders = {(0, j): np.ones(1) for j in range(m + 1)}
    for i in range(1, n + 1):
        orders[i, 0] = np.ones(1)
        for j in range(1, m + 1):
            with_last = np.concatenate([np.zeros(j), orders[i - 1, j]])
            orders[i, j] = with_last + np.pad(orders[i, j - 1], (0, i))
    tail = 2 * np.cumsum(orders[n, m]) / math.comb(n + m, n)
    significant = int(np.sum(tail <= level * (1 + 1e-12)))
    return significant - 1 if significant else None

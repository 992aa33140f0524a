"""Means over seeds and differences between means, with 95 % confidence intervals.

Scores on a linear scale have arithmetic means, differences, and the intervals of Student and Welch.
Scores on a log scale, such as FID, have geometric means and ratios. Their intervals are those of
Student and Welch for the logarithms, transformed back, so an interval never goes below zero.

A value of 0 has no logarithm. The geometric mean of values with a 0 is 0, without an interval, and
a ratio of such values is not defined.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

Scale = Literal["linear", "log"]

CONFIDENCE = 0.95
ALPHA = 0.05
MARGIN = 1.25
"""Two values on a log scale are equivalent if their ratio lies between 1 / 1.25 = 0.8 and 1.25.

This margin is the usual one of bioequivalence tests. It is symmetric on the log scale.
"""


@dataclass(frozen=True)
class Estimate:
    """A mean over random seeds.

    Attributes:
        mean: the arithmetic mean on a linear scale, the geometric mean on a log scale.
        low, high: the ends of the 95 % confidence interval of the mean. None if the interval is not
            defined: for a single value, and on a log scale if a value is 0.
        values: the values, in the order of the seeds.
    """

    mean: float
    low: float | None
    high: float | None
    values: tuple[float, ...]

    @property
    def n(self) -> int:
        """The number of values."""
        return len(self.values)


@dataclass(frozen=True)
class Effect:
    """The difference of two means, or the ratio of two geometric means.

    Attributes:
        size: first minus second on a linear scale, first divided by second on a log scale. None on
            a log scale if a value is 0.
        low, high: the ends of Welch's 95 % confidence interval. None if a side has a single value.
        equivalent: whether the ratio is shown to lie within `MARGIN`, by two one-sided t-tests at
            the 5 % level. None on a linear scale, and if neither side's values vary.
    """

    size: float | None
    low: float | None
    high: float | None
    equivalent: bool | None


def mean(values: Sequence[float], scale: Scale) -> float:
    """Return the mean of values: arithmetic on a linear scale, geometric on a log scale."""
    if min(values) == max(values):  # exact, without rounding
        return float(values[0])
    if scale == "linear":
        return float(np.mean(values))
    return math.exp(np.mean(np.log(values))) if min(values) > 0 else 0.0


def estimate(
    values: Sequence[float],
    scale: Scale = "linear",
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> Estimate:
    """Return the mean of values and its interval by Student's t (n - 1 degrees of freedom).

    Args:
        values: at least one value. On a log scale, none is negative.
        limits: the least and the largest possible value. The interval is cut at these limits, which
            does not change how often the interval contains the true mean.
    """
    centre, kept = mean(values, scale), tuple(map(float, values))
    numbers = on_scale(values, scale)
    if numbers is None or len(numbers) < 2:
        return Estimate(centre, None, None, kept)
    if np.ptp(numbers) == 0:
        return Estimate(centre, centre, centre, kept)
    t = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(numbers) - 1))
    margin = t * float(stats.sem(numbers))
    ends = (_back(float(np.mean(numbers)) + sign * margin, scale) for sign in (-1, 1))
    low, high = (min(max(end, limits[0]), limits[1]) for end in ends)
    return Estimate(centre, low, high, kept)


def effect(a: Sequence[float], b: Sequence[float], scale: Scale) -> Effect:
    """Compare the means of two sides by Welch's method, which allows unequal variances.

    Equivalence is tested by two one-sided tests (Schuirmann 1987, Journal of Pharmacokinetics and
    Biopharmaceutics 15, 657-680): the 90 % interval of the ratio must lie within the margin.
    """
    first, second = on_scale(a, scale), on_scale(b, scale)
    if first is None or second is None:
        return Effect(None, None, None, None)
    shift = float(np.mean(first) - np.mean(second))
    size = _back(shift, scale)
    if min(len(a), len(b)) < 2:
        return Effect(size, None, None, None)
    if max(np.ptp(first), np.ptp(second)) == 0:  # no width, like Student's interval of equal values
        return Effect(size, size, size, None)
    low, high = _welch(first, second, CONFIDENCE)
    inner = _welch(first, second, 1 - 2 * ALPHA)
    bound = math.log(MARGIN)
    within = -bound < inner[0] and inner[1] < bound
    return Effect(
        size, _back(low, scale), _back(high, scale), bool(within) if scale == "log" else None
    )


def pooled_deviation(a: Sequence[float], b: Sequence[float], scale: Scale) -> float | None:
    """Return the pooled standard deviation of two sides, on a log scale that of the logarithms.

    None if both sides have one value, or on a log scale if a value is 0.
    """
    first, second = on_scale(a, scale), on_scale(b, scale)
    freedom = len(a) + len(b) - 2
    if first is None or second is None or freedom == 0:
        return None
    squares = sum(float(np.sum((side - side.mean()) ** 2)) for side in (first, second))
    return math.sqrt(squares / freedom)


def on_scale(values: Sequence[float], scale: Scale) -> np.ndarray[Any, Any] | None:
    """Return the values, or their natural logarithms on a log scale. None if a value is 0 there."""
    numbers = np.asarray(values, dtype=np.float64)
    if scale == "linear":
        return numbers
    return np.log(numbers) if numbers.min() > 0 else None


def _back(number: float, scale: Scale) -> float:
    return math.exp(min(number, math.log(np.finfo(float).max))) if scale == "log" else number


def _welch(
    a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], confidence: float
) -> tuple[float, float]:
    with warnings.catch_warnings():  # SciPy warns if all values of one side are equal
        warnings.filterwarnings("ignore", message="Precision loss occurred")
        interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(confidence)
    return float(interval.low), float(interval.high)

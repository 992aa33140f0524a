"""The mean ratio of two sides over several data sets, with a stratified bootstrap interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from ganvae.scores.intervals import CONFIDENCE

RESAMPLES = 9999

Sides = tuple[Sequence[float], Sequence[float]]
"""The values of the first and of the second side on one data set, one value per seed."""


@dataclass(frozen=True)
class Pooled:
    """A ratio over several data sets, in which each data set has the same weight.

    Attributes:
        ratio: the geometric mean, over data sets, of the first side's geometric mean divided by the
            second side's.
        low, high: the ends of the 95 % confidence interval. None if a side has only one value on
            some data set.
        sets: the number of data sets.
    """

    ratio: float
    low: float | None
    high: float | None
    sets: int


def pooled_ratio(sides: Sequence[Sides]) -> Pooled:
    """Return the mean ratio over data sets, and its interval by a stratified bootstrap.

    Seeds are drawn anew within each data set and each side, as in rliable (Agarwal et al. 2021,
    2108.13264). So the interval holds for these data sets, and for new seeds. With few
    seeds, a plain bootstrap is too narrow by the factor sqrt((n - 1) / n). Therefore, deviations
    from the mean are first divided by this factor (Hesterberg 2015, The American Statistician 69,
    371-386). `benchmarks/coverage.py` measures how often the interval contains the
    true ratio.

    Args:
        sides: one pair per data set, at least one. All values are positive.
    """
    logs = [np.log(np.asarray(values, dtype=np.float64)) for pair in sides for values in pair]
    ratio = math.exp(_mean_difference(*logs))
    if min(map(len, logs)) < 2:
        return Pooled(ratio, None, None, len(sides))
    if max(map(np.ptp, logs)) == 0:
        return Pooled(ratio, ratio, ratio, len(sides))
    interval = stats.bootstrap(
        [_widened(values) for values in logs],
        _mean_difference,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Pooled(ratio, math.exp(interval.low), math.exp(interval.high), len(sides))


def _mean_difference(*samples: np.ndarray[Any, Any], axis: int = -1) -> Any:
    """The mean over data sets of the first side's mean minus the second side's mean.

    Args:
        samples: the two sides of each data set in turn. The axis ``axis`` has the seeds.
    """
    means = [sample.mean(axis=axis) for sample in samples]
    gaps = [first - second for first, second in zip(means[::2], means[1::2], strict=True)]
    return sum(gaps) / len(gaps)


def _widened(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return values.mean() + (values - values.mean()) * math.sqrt(len(values) / (len(values) - 1))

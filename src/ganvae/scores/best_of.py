"""What to expect of the best of n trials of a random search, and of two such searches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from ganvae.scores.intervals import CONFIDENCE

RESAMPLES = 4000


@dataclass(frozen=True)
class BestOf:
    """Expected best FIDs of 1, 2, ... N trials, with the ends of a band at the first numbers.

    The band is a 95 % percentile interval over bootstrap resamples of the trials. Resamples repeat
    the best trials, so the band is too narrow if n is close to N. So it ends at N / 3.
    ``benchmarks/coverage.py`` measures how often it holds the true value.
    """

    expected: list[float]
    low: list[float]
    high: list[float]


def expected_best(values: Sequence[float]) -> np.ndarray:
    """Return the expected smallest of n values drawn without replacement, for n = 1 to N.

    For independent trials, each entry is an unbiased estimate of the expected best of n new trials.
    The idea is from Dodge et al. 2019 (1909.03004). Drawing without replacement removes the bias of
    their estimator (Tang et al. 2020, 2004.14705).

    Args:
        values: N values, one per trial.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    return _weights(len(ordered)) @ ordered


def chance_ahead(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return the chance that the best of n of our values is below the best of n of theirs.

    The values are drawn without replacement, for n = 1 up to the number of values of the shorter
    side. A tie counts half. For independent trials, each entry is an unbiased estimate for new
    trials. Near the number of trials it says little: with all of them, it is 0, 1/2 or 1.
    """
    length = min(len(ours), len(theirs))
    first, second = (np.sort(np.asarray(side, dtype=np.float64)) for side in (ours, theirs))
    below = (first[:, None] < second[None, :]) + 0.5 * (first[:, None] == second[None, :])
    chances = (_weights(len(first))[:length] @ below * _weights(len(second))[:length]).sum(axis=1)
    return list(chances)


def _weights(total: int) -> np.ndarray:
    """Return the probability that the i-th smallest of N values is the best of n: n x i.

    The probability is C(N - i, n - 1) / C(N, n), since the other n - 1 values must be larger.
    """
    n, i = np.arange(1, total + 1)[:, None], np.arange(1, total + 1)[None, :]
    possible = total - i >= n - 1
    larger = np.where(possible, total - i, n - 1)
    logs = _log_choose(larger, n - 1) - _log_choose(total, n)
    return np.where(possible, np.exp(logs), 0.0)


def _log_choose(total: np.ndarray | int, part: np.ndarray) -> np.ndarray:
    logs: np.ndarray = gammaln(np.add(total, 1)) - gammaln(part + 1)
    return logs - gammaln(np.subtract(total, part) + 1)


def best_of(values: Sequence[float], seed: int = 0) -> BestOf:
    """Return the expected best of 1 to N trials, with its bootstrap band."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    weights = _weights(len(ordered))
    random = np.random.default_rng(seed)
    index = random.integers(len(ordered), size=(RESAMPLES, len(ordered)))
    curves = np.sort(ordered[index], axis=1) @ weights.T
    tail = (1 - CONFIDENCE) / 2
    banded = -(-len(ordered) // 3)
    low, high = np.quantile(curves[:, :banded], [tail, 1 - tail], axis=0)
    return BestOf(list(weights @ ordered), list(low), list(high))

"""Measure how often the 95 % confidence intervals of this project contain the true value.

Scores of invented training runs are drawn from known distributions. The baselines are Student's
interval of the arithmetic mean, and plain percentile bootstraps.

    python benchmarks/coverage.py [--repeats 2000]
"""

import argparse
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import Generator

from ganvae.core.errors import exit_with_message
from ganvae.scores import pooled
from ganvae.scores.best_of import best_of
from ganvae.scores.intervals import estimate
from ganvae.scores.pooled import pooled_ratio
from ganvae.scores.superiority import superiority
from results import report, table

SEEDS = (3, 5, 10)
RESAMPLES = 499
Values = np.ndarray
Draw = Callable[[Generator, int], Values]


def lognormal(deviation: float, middle: float = 10.0) -> Draw:
    return lambda random, n: middle * np.exp(random.normal(0, deviation, n))


def mixture(share: float, high: float, low: float = 10.0) -> Draw:
    """FIDs near ``high`` with probability ``share``, otherwise near ``low``; 5 % noise on both."""

    def draw(random: Generator, n: int) -> Values:
        middles = np.where(random.random(n) < share, high, low)
        return middles * np.exp(random.normal(0, 0.05, n))

    return draw


MEANS: dict[str, Draw] = {
    "lognormal, 10 % spread": lognormal(0.1),
    "lognormal, deviation 1 of the logarithm": lognormal(1.0),
    "bimodal: 80 % near 10, 20 % near 20": mixture(0.2, 20.0),
    "rare collapse: 90 % near 10, 10 % near 100": mixture(0.1, 100.0),
}
SIDES: dict[str, tuple[Draw, Draw]] = {
    "same lognormals": (lognormal(0.1), lognormal(0.1)),
    "shifted by one deviation": (lognormal(0.1, 9.05), lognormal(0.1)),
    "shifted by two deviations": (lognormal(0.1, 8.19), lognormal(0.1)),
    "spreads 1 to 4": (lognormal(0.1), lognormal(0.4)),
    "first side collapses in 10 %": (mixture(0.1, 100.0, 5.0), lognormal(0.05)),
    "first side collapses in 30 %": (mixture(0.3, 100.0, 5.0), lognormal(0.05)),
}
TRIALS, BESTS = 60, (5, 10, 20)
SEARCHES: dict[str, Draw] = {
    "all kinds: lognormal, deviation 1": lognormal(1.0, 60.0),
    "two kinds: 80 % near 100, 20 % near 20": mixture(0.8, 100.0, 20.0),
}
LARGE = 200_000


def covered(low: float | None, truth: float, high: float | None) -> bool:
    return low is not None and high is not None and low <= truth <= high


def share(hits: Sequence[bool]) -> str:
    return f"{np.mean(hits):.2f}"


def means(repeats: int) -> str:
    rows = []
    for name, draw in MEANS.items():
        random = np.random.default_rng(0)
        large = draw(random, LARGE)
        geometric, arithmetic = math.exp(np.log(large).mean()), float(large.mean())
        cells = []
        for n in SEEDS:
            draws = [draw(random, n) for _ in range(repeats)]
            ours = [estimate(values, "log") for values in draws]
            plain = [estimate(values) for values in draws]
            cells.append(share([covered(each.low, geometric, each.high) for each in ours]))
            cells.append(share([covered(each.low, arithmetic, each.high) for each in plain]))
        rows.append([name, *cells])
    heads = [f"{kind}, {n} seeds" for n in SEEDS for kind in ("geometric", "arithmetic")]
    return table(["distribution of FID", *heads], rows)


def bootstrap_of_share(a: Values, b: Values, random: Generator) -> tuple[float, float]:
    first = a[random.integers(0, len(a), (RESAMPLES, len(a)))]
    second = b[random.integers(0, len(b), (RESAMPLES, len(b)))]
    shares = (first[:, :, None] < second[:, None, :]).mean(axis=(1, 2))
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(low), float(high)


def probabilities(repeats: int) -> str:
    rows = []
    for name, (first, second) in SIDES.items():
        random = np.random.default_rng(0)
        truth = float(np.mean(first(random, LARGE) < second(random, LARGE)))
        cells = []
        for n in SEEDS:
            draws = [(first(random, n), second(random, n)) for _ in range(repeats)]
            ours = [superiority(a, b, lower_is_better=True) for a, b in draws]
            plain = [bootstrap_of_share(a, b, random) for a, b in draws]
            cells.append(share([covered(each.low, truth, each.high) for each in ours]))
            cells.append(share([covered(low, truth, high) for low, high in plain]))
        rows.append([f"{name} (P = {truth:.2f})", *cells])
    heads = [f"{kind}, {n} seeds" for n in SEEDS for kind in ("Newcombe", "bootstrap")]
    return table(["FIDs of the two sides", *heads], rows)


def ratios(repeats: int) -> str:
    pooled.RESAMPLES = RESAMPLES
    widened, rows = pooled._widened, []
    for sets in (1, 4):
        cells = []
        for n in SEEDS:
            random = np.random.default_rng(0)
            draws = [
                [(lognormal(0.1)(random, n), lognormal(0.05)(random, n)) for _ in range(sets)]
                for _ in range(repeats // 2)
            ]
            for method in (widened, lambda values: values):
                pooled._widened = method
                found = [pooled_ratio(draw) for draw in draws]
                cells.append(share([covered(each.low, 1, each.high) for each in found]))
        rows.append([f"{sets} data set{'s' if sets > 1 else ''}", *cells])
    pooled._widened = widened
    heads = [f"{kind}, {n} seeds" for n in SEEDS for kind in ("widened", "plain")]
    return table(["mean ratio over", *heads], rows)


def bests(repeats: int) -> str:
    rows = []
    for name, draw in SEARCHES.items():
        random = np.random.default_rng(0)
        truths = [draw(random, n * LARGE).reshape(-1, n).min(axis=1).mean() for n in BESTS]
        found = [best_of(list(draw(random, TRIALS))) for _ in range(repeats // 4)]
        cells = [
            share([covered(each.low[n - 1], truth, each.high[n - 1]) for each in found])
            for n, truth in zip(BESTS, truths, strict=True)
        ]
        rows.append([name, *cells])
    return table(["FIDs of the trials", *(f"best of {n}" for n in BESTS)], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2000)
    repeats = parser.parse_args().repeats
    parts = [
        f"Shares of 95 % intervals that contain the true value, in {repeats:,} repeats (half as "
        "many for ratios, a quarter for the best of n trials). 0.95 is right.",
        "The mean over seeds: Student's interval of the geometric mean (this project's, for FID), "
        "and of the arithmetic mean.",
        means(repeats),
        "The probability that a random run of the first side has the lower FID: Newcombe's "
        "interval (this project's), and a percentile bootstrap.",
        probabilities(repeats),
        "The mean ratio over data sets: the stratified bootstrap with widened deviations (this "
        "project's), and without.",
        ratios(repeats),
        f"The expected best of n trials: percentile intervals from a search of {TRIALS} trials.",
        bests(repeats),
    ]
    report(__file__, "\n\n".join(parts))


if __name__ == "__main__":
    exit_with_message(main)

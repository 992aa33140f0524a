"""The expected best of n trials, against enumeration and closed forms."""

from itertools import combinations
from statistics import fmean

import numpy as np
import pytest

from ganvae.scores.best_of import best_of, chance_ahead, expected_best


def test_the_expected_best_is_the_mean_over_all_subsets() -> None:
    values = [7.0, 1.5, 30.0, 4.0, 4.0, 250.0]
    by_hand = [fmean(min(part) for part in combinations(values, n)) for n in range(1, 7)]
    assert expected_best(values) == pytest.approx(by_hand)
    assert expected_best(values)[0] == pytest.approx(fmean(values))
    assert expected_best(values)[-1] == 1.5


def test_the_estimate_is_unbiased_for_new_trials() -> None:
    random = np.random.default_rng(0)
    curves = [expected_best(random.uniform(size=20)) for _ in range(4000)]
    n = np.arange(1, 21)
    assert np.mean(curves, axis=0) == pytest.approx(1 / (n + 1), abs=0.006)  # uniform minima


def test_the_band_contains_the_curve_and_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    hits: dict[int, list[bool]] = {5: [], 20: []}
    for seed in range(150):
        band = best_of(list(random.uniform(size=60)), seed)
        assert band.low[0] < band.expected[0] < band.high[0]
        assert len(band.low) == len(band.high) == 20
        for n, found in hits.items():
            found.append(band.low[n - 1] <= 1 / (n + 1) <= band.high[n - 1])
    assert 0.9 < np.mean(hits[5]) <= 1.0
    assert 0.8 < np.mean(hits[20]) < 0.92


def test_the_chance_to_be_ahead_is_that_over_all_pairs_of_subsets() -> None:
    ours, theirs = [3.0, 1.0, 8.0, 5.0], [2.0, 5.0, 9.0]
    for n, chance in enumerate(chance_ahead(ours, theirs), start=1):
        pairs = [(min(a), min(b)) for a in combinations(ours, n) for b in combinations(theirs, n)]
        assert chance == pytest.approx(fmean((a < b) + 0.5 * (a == b) for a, b in pairs))
    assert len(chance_ahead(ours, theirs)) == 3
    assert chance_ahead([1.0], [1.0]) == [0.5]


def test_more_trials_never_hurt_and_large_numbers_do_not_overflow() -> None:
    curve = expected_best(list(np.random.default_rng(2).lognormal(3, 1, size=500)))
    assert (np.diff(curve) <= 1e-9).all()
    assert np.isfinite(curve).all()

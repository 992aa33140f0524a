"""The mean ratio over data sets, against closed forms and simulation."""

import math

import numpy as np
import pytest

from ganvae.scores import pooled
from ganvae.scores.pooled import pooled_ratio

SETS = [([1.0, 4.0], [8.0, 8.0, 8.0]), ([9.0, 9.0, 9.0, 9.0], [1.0, 1.0])]


def test_pin_14_each_data_set_has_the_same_weight() -> None:
    """The ratios are 2 / 8 and 9 / 1, whatever the number of seeds."""
    found = pooled_ratio(SETS)
    assert found.sets == 2
    assert found.ratio == pytest.approx(math.sqrt(2 / 8 * 9))
    turned = pooled_ratio([(second, first) for first, second in SETS])
    assert turned.ratio == pytest.approx(1 / found.ratio)
    assert (turned.low, turned.high) == pytest.approx((1 / found.high, 1 / found.low))


def test_pin_14_seeds_are_drawn_within_a_data_set_and_a_side() -> None:
    """Only one side varies: 1 or 4. Draws over data sets or sides would mix in 8 and 9.

    The two draws of log 1 and log 4 have a mean of 0, log 2 or log 4, here sqrt(2) times as far
    from log 2. Over two data sets, a log ratio counts half.
    """
    found = pooled_ratio(SETS)
    factor = math.exp(math.log(2) * math.sqrt(2) / 2)
    assert found.low == pytest.approx(found.ratio / factor)
    assert found.high == pytest.approx(found.ratio * factor)


def test_one_seed_on_a_side_gives_no_interval() -> None:
    found = pooled_ratio([*SETS, ([2.0], [2.0, 3.0])])
    assert (found.low, found.high, found.sets) == (None, None, 3)


def test_seeds_without_variance_give_an_interval_without_width() -> None:
    found = pooled_ratio([([2.0, 2.0], [4.0, 4.0])])
    assert found.ratio == found.low == found.high == pytest.approx(0.5)


def test_pooling_is_deterministic_and_leaves_the_global_generator_alone() -> None:
    before = np.random.get_state()[1].copy()
    assert pooled_ratio(SETS) == pooled_ratio(SETS)
    assert np.array_equal(np.random.get_state()[1], before)


@pytest.mark.slow
def test_the_interval_covers_the_ratio_of_four_data_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooled, "RESAMPLES", 300)
    random, hits, repeats = np.random.default_rng(0), 0, 300
    for _ in range(repeats):
        found = pooled_ratio(
            [(np.exp(random.normal(0, 0.1, 5)), np.exp(random.normal(0, 0.05, 5))) for _ in "abcd"]
        )
        hits += found.low <= 1 <= found.high
    assert hits / repeats > 0.9

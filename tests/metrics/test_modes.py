"""Mode coverage, in cases computed by hand."""

import math

import numpy as np
import pytest

from ganvae.metrics.modes import kl_from_even, modes_covered


@pytest.mark.parametrize(
    ("counts", "modes", "divergence"),
    [
        ([5] * 1000, 1000, 0),
        ([26_000] + [0] * 999, 1, math.log(1000)),
        ([30] * 500 + [0] * 500, 500, math.log(2)),
        ([1] * 999 + [0], 999, math.log(1000 / 999)),
        ([3, 1], 2, 0.75 * math.log(1.5) + 0.25 * math.log(0.5)),
    ],
)
def test_covered_modes_and_divergence(counts: list[int], modes: int, divergence: float) -> None:
    assert modes_covered(counts) == modes
    assert kl_from_even(counts) == pytest.approx(divergence, abs=1e-12)


def test_an_even_random_spread_scores_as_documented() -> None:
    random = np.random.default_rng(0)
    draws = [random.multinomial(26_000, [1 / 1000] * 1000).tolist() for _ in range(20)]
    mean = np.mean([kl_from_even(counts) for counts in draws])
    assert mean == pytest.approx(999 / (2 * 26_000), rel=0.03)

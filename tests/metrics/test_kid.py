"""KID compared with its definition, and its lack of bias."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ganvae.metrics import kid as module
from ganvae.metrics.kid import kid


def normal(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def by_definition(a: Tensor, b: Tensor) -> float:
    """The unbiased MMD^2 with the kernel (x y / d + 1)^3 (1801.01401, eq. 4)."""
    x, y = a.double().numpy(), b.double().numpy()
    d = x.shape[1]

    def kernel(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return (u @ v.T / d + 1) ** 3

    within = 0.0
    for z in (x, y):
        k = kernel(z, z)
        within += (k.sum() - np.trace(k)) / (len(z) * (len(z) - 1))
    return float(within - 2 * kernel(x, y).mean())


def test_one_subset_of_all_images_gives_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SUBSETS", 1)
    real, generated = normal(300, 6, 0), 1.5 * normal(300, 6, 1) + 0.5
    mean, deviation = kid(real=real, generated=generated, seed=0)
    assert mean == pytest.approx(by_definition(real, generated), rel=1e-9)
    assert deviation == 0


def test_kid_has_no_bias() -> None:
    """For equal distributions KID is 0 on average, so some scores are below 0."""
    scores = [
        kid(real=normal(60, 4, 2 * seed), generated=normal(60, 4, 2 * seed + 1), seed=0)[0]
        for seed in range(60)
    ]
    assert min(scores) < 0 < max(scores)
    assert abs(np.mean(scores)) < 3 * np.std(scores) / 60**0.5


@pytest.mark.slow
def test_kid_grows_with_the_distance() -> None:
    real = normal(1500, 8, 0)
    scores = [kid(real=real, generated=normal(1500, 8, 1) + off, seed=0)[0] for off in (0, 0.2, 1)]
    assert scores == sorted(scores)
    assert scores[2] > 1


def test_pin_8_its_draws_are_its_own() -> None:
    real, generated = normal(1500, 8, 0), normal(1200, 8, 1)
    state = torch.get_rng_state()
    first = kid(real=real, generated=generated, seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    assert kid(real=real, generated=generated, seed=3) == first
    assert kid(real=real, generated=generated, seed=4) != first

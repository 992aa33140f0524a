"""The noise of scores, and FID at infinity, compared with theory."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ganvae.metrics.fid import FidTo, fid
from ganvae.metrics.noise import (
    evaluation_noise,
    fid_curve,
    fid_infinity,
    half_sample_noise,
    noise_of_mean,
)
from ganvae.metrics.prdc import neighbourhoods

D = 16


def normal(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def whitened(n: int, d: int) -> Tensor:
    """A sample with a mean of exactly 0 and a covariance of exactly the identity."""
    samples = normal(n, d, 987_654)
    samples = samples - samples.mean(dim=0)
    return samples @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(samples.T))).T


def shifted(n: int, seed: int) -> Tensor:
    """Draw from N(m, 1.44 I), |m| = 1. Its squared Frechet distance to N(0, I) is 1 + 0.04 d."""
    shift = torch.zeros(D).double()
    shift[0] = 1
    return 1.2 * normal(n, D, seed) + shift


DISTANCE = 1 + 0.04 * D


def coverage(
    real: list[Tensor], generated: list[Tensor], expected: float
) -> tuple[float, float, float]:
    """The shares of our, percentile and basic 95 % intervals that contain ``expected``."""
    ours = percentile = basic = 0
    for repeat, (real_set, generated_set) in enumerate(zip(real, generated, strict=True)):
        to_real, scores = FidTo(real_set), []

        def statistic(
            indices: np.ndarray,
            to_real: FidTo = to_real,
            images: Tensor = generated_set,
            scores: list[float] = scores,
        ) -> float:
            scores.append(to_real(images[indices]))
            return scores[-1]

        n, point = len(generated_set), to_real(generated_set)
        noise = evaluation_noise(statistic, n, point=point, resamples=100, seed=repeat)
        low, high = np.quantile(scores, [0.025, 0.975])
        ours += noise.low <= expected <= noise.high
        percentile += low <= expected <= high
        basic += 2 * point - high <= expected <= 2 * point - low
    return ours / len(real), percentile / len(real), basic / len(real)


@pytest.mark.slow
def test_interval_contains_the_expected_fid_if_fid_is_only_bias() -> None:
    """For two samples of N(0, I_d), to first order, E FID_N = (2 d + d (d + 1) / 2) / N."""
    n, repeats = 1000, 100
    expected = (2 * D + D * (D + 1) / 2) / n
    real = [normal(n, D, 2 * k) for k in range(repeats)]
    generated = [normal(n, D, 2 * k + 1) for k in range(repeats)]
    ours, percentile, basic = coverage(real, generated, expected)
    assert 0.9 <= ours <= 0.99
    assert percentile <= 0.02
    assert basic <= 0.1


@pytest.mark.slow
def test_interval_contains_the_expected_fid_of_an_imperfect_model() -> None:
    n, repeats = 500, 100
    real = whitened(2000, D)
    expected = np.mean([fid(real=real, generated=shifted(n, 10**6 + k)) for k in range(1000)])
    ours, percentile, basic = coverage(
        [real] * repeats, [shifted(n, k) for k in range(repeats)], expected
    )
    assert 0.88 <= ours <= 0.99
    assert max(percentile, basic) <= ours - 0.1


def test_bootstrap_standard_error_of_a_mean_matches_theory() -> None:
    values = normal(400, 1, 0).numpy().ravel()
    noise = evaluation_noise(
        lambda indices: float(values[indices].mean()), 400, point=7.0, resamples=2000, seed=0
    )
    known = values.std() / 20
    assert noise.standard_error == pytest.approx(known, rel=0.05)
    assert noise.low == pytest.approx(7 - 1.96 * known, abs=0.15 * known)
    assert noise.high == pytest.approx(7 + 1.96 * known, abs=0.15 * known)


def test_curve_uses_every_image_equally_often() -> None:
    real, generated = normal(60, 2, 0), torch.arange(100.0).repeat(2, 1).T
    taken: dict[int, list[Tensor]] = {}

    class Recorded(FidTo):
        def __call__(self, generated: Tensor) -> float:
            taken.setdefault(len(generated), []).append(generated[:, 0].long())
            return float(len(generated))

    curve = fid_curve(Recorded(real), generated, seed=0)
    assert curve == [(20, 20), (40, 40), (60, 60), (80, 80), (100, 100)]
    for size, subsets in taken.items():
        times = torch.bincount(torch.cat(subsets), minlength=100)
        assert set(times.tolist()) == {size * len(subsets) // 100}
        assert len(subsets) == (1 if size == 100 else 5)
    first = taken[20][0].tolist()
    assert first != sorted(first), "without shuffling, a subset could consist of one class"


def test_curve_falls_and_ends_with_the_score() -> None:
    real, generated = whitened(2000, D), shifted(1000, 0)
    curve = fid_curve(FidTo(real), generated, seed=0)
    sizes, scores = zip(*curve, strict=True)
    assert sizes == (200, 400, 600, 800, 1000)
    assert scores[-1] == pytest.approx(fid(real=real, generated=generated))
    assert list(scores) == sorted(scores, reverse=True)


def test_curve_leaves_out_sizes_too_small_for_fid() -> None:
    real, generated = normal(100, 16, 0), normal(50, 16, 1)
    assert [size for size, _ in fid_curve(FidTo(real), generated, seed=0)] == [20, 30, 40, 50]
    few = fid_curve(FidTo(real), generated[:18], seed=0)
    assert [size for size, _ in few] == [18]
    assert fid_infinity(few) is None
    assert fid_infinity([]) is None


def test_fid_infinity_of_an_exactly_linear_curve() -> None:
    assert fid_infinity([(n, 3.0 + 50 / n) for n in (100, 200, 400)]) == pytest.approx(3)


def test_fid_infinity_is_much_nearer_to_the_true_distance_than_fid() -> None:
    """The real moments are exact, so only generated images add bias. Extrapolation removes it."""
    real, to_real = whitened(2000, D), FidTo(whitened(2000, D))
    sets = [shifted(500, k) for k in range(60)]
    at_infinity = np.mean([fid_infinity(fid_curve(to_real, x, seed=0)) for x in sets])
    at_n = np.mean([fid(real=real, generated=x) for x in sets])
    assert at_infinity == pytest.approx(DISTANCE, abs=0.05)
    assert at_n - DISTANCE > 3 * abs(at_infinity - DISTANCE)
    assert at_n - DISTANCE > 0.15


def test_the_seed_decides_the_result_and_global_generators_do_not_change() -> None:
    to_real, generated = FidTo(normal(100, 4, 0)), normal(100, 4, 1)

    def both(seed: int) -> tuple[object, object]:
        noise = evaluation_noise(
            lambda indices: to_real(generated[indices]), 100, point=1.0, resamples=20, seed=seed
        )
        return noise, fid_curve(to_real, generated, seed=seed)

    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    (noise, curve), (other_noise, other_curve) = both(0), both(1)
    assert both(0) == (noise, curve)
    assert noise != other_noise
    assert curve != other_curve
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)


def test_noise_of_a_mean_follows_the_central_limit_theorem() -> None:
    noise = noise_of_mean(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert noise.standard_error == pytest.approx((2.5 / 5) ** 0.5)
    assert (noise.low, noise.high) == pytest.approx(
        (3 - 1.959964 * 0.5**0.5, 3 + 1.959964 * 0.5**0.5)
    )


def test_interval_of_a_mean_contains_the_truth_in_95_of_100_cases() -> None:
    noises = [noise_of_mean(normal(200, 1, seed)[:, 0]) for seed in range(1000)]
    assert np.mean([noise.low <= 0 <= noise.high for noise in noises]) == pytest.approx(
        0.95, abs=0.02
    )


def test_halves_of_a_mean_match_theory() -> None:
    """For a mean, the spread between random halves is the standard error of the whole set."""
    values = normal(400, 1, 0)[:, 0]
    (noise,) = half_sample_noise(
        lambda kept: (float(values[kept].mean()),), 400, points=(7.0,), halves=4000, seed=0
    )
    known = float(values.std()) / 20
    assert noise.standard_error == pytest.approx(known, rel=0.05)
    assert noise.low == pytest.approx(7 - 1.96 * known, abs=0.15 * known)
    assert noise.high == pytest.approx(7 + 1.96 * known, abs=0.15 * known)


def test_pin_24_a_half_has_half_of_the_images_and_the_seed_decides_which() -> None:
    kept: list[Tensor] = []

    def watched(half: Tensor) -> tuple[float]:
        kept.append(half)
        return (0.0,)

    for seed in (0, 0, 1):
        half_sample_noise(watched, 41, points=(0.0,), halves=2, seed=seed)
    assert {int(half.sum()) for half in kept} == {20}
    first, again, other = kept[::2]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(kept[0], kept[1])


@pytest.mark.slow
def test_pin_24_the_interval_of_recall_and_coverage_contains_the_expected_score() -> None:
    """The samples are too narrow, so neither score is near 0 or 1."""
    n, repeats = 400, 60
    real = normal(500, 4, 10**6).float()
    draws = [neighbourhoods(real=real, generated=0.7 * normal(n, 4, k).float()) for k in range(400)]
    points = np.array([(draw.scores.recall, draw.scores.coverage) for draw in draws])
    expected, spread = points.mean(axis=0), points.std(axis=0, ddof=1)
    assert (expected > 0.2).all()
    assert (expected < 0.9).all()
    inside, errors = np.zeros(2), np.zeros(2)
    for seed, (draw, point) in enumerate(zip(draws[:repeats], points, strict=False)):
        noises = half_sample_noise(draw.of_half, n, points=(*point,), halves=100, seed=seed)
        inside += [a.low <= e <= a.high for a, e in zip(noises, expected, strict=True)]
        errors += [noise.standard_error for noise in noises]
    assert errors / repeats == pytest.approx(spread, rel=0.25)
    assert (inside / repeats >= 0.88).all()

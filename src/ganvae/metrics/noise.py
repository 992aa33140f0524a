"""Noise of scores: how a score depends on the number of images and on their random draw."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from ganvae.metrics.fid import FidTo

CONFIDENCE = 0.95


class Noise(NamedTuple):
    """The standard error and the 95 % confidence interval of a score, over draws of images."""

    standard_error: float
    low: float
    high: float


def evaluation_noise(
    statistic: Callable[[np.ndarray], float], n: int, *, point: float, resamples: int, seed: int
) -> Noise:
    """Bootstrap the noise of a score: its spread over other draws of ``n`` generated images.

    The model and the real images stay the same. Between training runs a score varies more than
    this. The interval is for the expected score at this n, including its bias at this n. It is
    not for the score of infinitely many images.

    A resampled set repeats images. A term in 1/N biases FID upwards, and resampling adds this bias
    a second time. The resampled scores lie above ``point`` by as much as ``point`` lies above its
    limit, so plain percentiles can miss ``point`` itself. Therefore the distribution is shifted
    until its mean is ``point``: ``point`` + (quantile - mean).

    The "basic" interval of `scipy.stats.bootstrap`, 2 ``point`` - quantile, does not fit. It lies
    below ``point`` by as much as the quantiles lie above it. That removes the bias, so it is an
    interval for FID at infinity.

    If generated and real images hardly differ (the floor), FID consists of bias only. Then
    resampling overstates the spread, and the interval is too wide: up to 1.7 times the standard
    error.

    Do not use this for recall: two copies of a resampled image are nearest neighbours at distance
    0.

    Args:
        statistic: computes the score of the images with the given indices (int64, ``n`` indices).
        n: the number of generated images.
        point: the score of all ``n`` images.
        resamples: the number of bootstrap samples.
        seed: the seed of a separate NumPy generator. Global generators do not change.
    """
    bootstrap = stats.bootstrap(
        (np.arange(n),),
        statistic,
        n_resamples=resamples,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=False,
        rng=np.random.default_rng(seed),
    )
    shift = point - bootstrap.bootstrap_distribution.mean()
    low, high = (float(bound + shift) for bound in bootstrap.confidence_interval)
    return Noise(float(bootstrap.standard_error), low, high)


def noise_of_mean(values: Tensor) -> Noise:
    """The noise of a mean over images, from one value per image (N, at least 2).

    The confidence interval assumes a normal distribution.
    """
    mean = float(values.double().mean())
    error = float(values.double().std()) / math.sqrt(len(values))
    half = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * error
    return Noise(error, mean - half, mean + half)


def fid_curve(
    to_real: FidTo, generated: Tensor, *, seed: int, parts: int = 5
) -> list[tuple[int, float]]:
    """Mean FID between subsets of the generated images and all real images, by subset size.

    The images lie on a circle in a random order. The subsets of n / 5, 2 n / 5, ... n images are
    arcs of the circle that start at five equally spaced positions. So the subsets of one size hold
    every image equally often. The subsets of n / 5 images have no image in common.

    Args:
        to_real: FID to all real images.
        generated: features, n x d, on the CPU.
        seed: the seed of the random order.
        parts: the number of sizes, and the number of subsets per size. Size n has one subset.

    Returns:
        (size, FID) by increasing size. Sizes <= d are left out, because FID is undefined there.
    """
    n, d = generated.shape
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    circle = generated[order].repeat(2, 1)
    starts = [n * part // parts for part in range(parts)]
    curve = []
    for size in [*starts[1:], n]:
        if size > d:
            begins = starts if size < n else [0]
            scores = [to_real(circle[begin : begin + size]) for begin in begins]
            curve.append((size, float(np.mean(scores))))
    return curve


def fid_infinity(curve: list[tuple[int, float]]) -> float | None:
    """FID extrapolated to infinitely many generated images; None for fewer than two sizes.

    To first order, FID at N is ``a + b / N``. ``b`` depends on the model, so even FIDs with equal
    N are not fully comparable. This function returns ``a`` (Chong & Forsyth, 1911.07023). Their
    latents are a low-discrepancy sequence; ours are random.

    The number of real images stays finite, so their part of the bias remains. That part is much
    the same for every model. For a perfect model the result can be below 0.

    Args:
        curve: pairs of N and FID, as `fid_curve` returns them.
    """
    if len(curve) < 2:
        return None
    sizes, scores = np.array(curve, dtype=np.float64).T
    return float(stats.linregress(1 / sizes, scores).intercept)

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
    """The standard error of a score, and the ends of its 95 % confidence interval.

    Both describe how the score varies between different draws of images from the same model.
    """

    standard_error: float
    low: float
    high: float


def evaluation_noise(
    statistic: Callable[[np.ndarray], float], n: int, *, point: float, resamples: int, seed: int
) -> Noise:
    """Estimate by bootstrap how a score varies between draws of ``n`` generated images.

    The model and the real images stay the same. Between training runs, a score varies more than
    this function estimates. The confidence interval is for the expected score of ``n`` images,
    including the bias at ``n``. The interval is not for the score of infinitely many images.

    A resampled set repeats images. A bias of the order 1/N makes FID too large, and resampling adds
    this bias a second time. So the resampled scores are too large: their mean is as far above
    ``point`` as ``point`` is above the FID of infinitely many images. An interval between plain
    percentiles of the resampled scores may not contain ``point``. So the resampled scores are
    shifted until their mean is ``point``: an end of the interval is ``point`` + (quantile - mean).

    The "basic" interval of `scipy.stats.bootstrap`, 2 ``point`` - quantile, is not used. This
    interval lies as far below ``point`` as the quantiles lie above ``point``. So the basic interval
    has no bias, and is an interval for the FID of infinitely many images.

    If generated and real images hardly differ, FID consists of bias only. Then resampling
    overstates the spread, and the interval is too wide: up to 1.7 times the standard error.

    Do not use this function for recall, because two copies of a resampled image are nearest
    neighbours at distance 0. `half_sample_noise` repeats no image.

    Args:
        statistic: a function from ``n`` indices of images (int64) to the score of these images.
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


def half_sample_noise(
    scores: Callable[[Tensor], tuple[float, ...]],
    n: int,
    *,
    points: tuple[float, ...],
    halves: int,
    seed: int,
) -> list[Noise]:
    """Estimate how scores of nearest neighbours vary between draws of ``n`` generated images.

    Each resample is a random half of the images, without repetition. (A bootstrap sample repeats
    images, and copies are nearest neighbours at distance 0.) This is the delete-d jackknife with
    d = n / 2 (Shao & Wu 1989), which needs no smooth score. The variance of a score of r out of n
    images, r / (n - r) times, estimates the variance of the score of n images. For a half, this
    factor is 1.

    The scores of halves are on another level, because the neighbourhoods of fewer images are
    larger. So these scores are shifted until their mean is the score of all images. The confidence
    interval is for the expected score of n images.

    Like any resampling, this method knows only the ``n`` images. A rare image that makes a large
    neighbourhood, and was not drawn, is not in the estimate.

    Args:
        scores: a function from the kept images (bool, n) to some scores.
        n: the number of generated images.
        points: the scores of all images.
        halves: the number of random halves.
        seed: the seed of a separate generator. Global generators do not change.
    """
    random = torch.Generator().manual_seed(seed)
    found = np.array([scores(_random_half(n, random)) for _ in range(halves)])
    tails = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
    noises = []
    for values, point in zip(found.T, points, strict=True):
        low, high = np.quantile(values, tails) - values.mean() + point
        noises.append(Noise(float(values.std(ddof=1)), float(low), float(high)))
    return noises


def _random_half(n: int, random: torch.Generator) -> Tensor:
    kept = torch.zeros(n, dtype=torch.bool)
    kept[torch.randperm(n, generator=random)[: n // 2]] = True
    return kept


def noise_of_mean(values: Tensor) -> Noise:
    """Return the noise of the mean of ``values``: N values, one per image, with N at least 2.

    The confidence interval assumes that the mean has a normal distribution.
    """
    mean = float(values.double().mean())
    error = float(values.double().std()) / math.sqrt(len(values))
    half = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * error
    return Noise(error, mean - half, mean + half)


def fid_curve(
    to_real: FidTo, generated: Tensor, *, seed: int, parts: int = 5
) -> list[tuple[int, float]]:
    """Compute the mean FID of generated subsets against all real images, for several subset sizes.

    The n generated images lie on a circle in a random order. With 5 ``parts``, the sizes are n / 5,
    2 n / 5, ... n images. The subsets of a size are arcs of the circle that start at five equally
    spaced positions. So the subsets of one size hold every image equally often. The subsets of
    n / 5 images have no image in common.

    Args:
        to_real: a function from generated features to their FID against all real images.
        generated: the features of the generated images, n x d, on the CPU.
        seed: the seed of the random order.
        parts: the number of sizes, and the number of subsets per size. Size n has one subset.

    Returns:
        Pairs of subset size and mean FID, by increasing size. Sizes <= d are left out, because FID
        is undefined for d images or fewer.
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
    """Extrapolate FID to infinitely many generated images. Return None for fewer than two sizes.

    To first order, the FID of N images is ``a + b / N``. ``b`` depends on the model, so even FIDs
    with equal N are not fully comparable. This function returns ``a`` (Chong & Forsyth,
    1911.07023). Chong & Forsyth draw latents from a low-discrepancy sequence. This project draws
    random latents.

    The number of real images stays finite, so the bias from the real images remains. This bias is
    about the same for every model. For a perfect model the result can be below 0.

    Args:
        curve: pairs of subset size N and FID, as `fid_curve` returns them.
    """
    if len(curve) < 2:
        return None
    sizes, scores = np.array(curve, dtype=np.float64).T
    return float(stats.linregress(1 / sizes, scores).intercept)

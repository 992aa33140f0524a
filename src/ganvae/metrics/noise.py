"""What a score owes to the number of images, and to which of them were drawn."""

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
    """A score's standard error under another draw of images, and its 95 % interval."""

    standard_error: float
    low: float
    high: float


def evaluation_noise(
    statistic: Callable[[np.ndarray], float], n: int, *, point: float, resamples: int, seed: int
) -> Noise:
    """How far a score of ``n`` generated images would move if others were drawn: a bootstrap.

    The same model and the same real images; between trainings scores move more than this. What is
    estimated is the score's expectation at this N, with the bias it has at this N, and not what it
    would be of infinitely many images.

    A resampled set repeats images. FID, biased upwards by a term in 1/N, is biased once more of
    it: the resampled scores lie above the score by as much as the score lies above its limit, and
    their plain percentiles can miss even the score itself. So their distribution is moved until
    its mean is the score: ``point`` + (quantile - mean). The "basic" interval of
    `scipy.stats.bootstrap`, 2 ``point`` - quantile, lies below the score by as much as the
    quantiles lie above it: the bias is taken off, so it is one of FID at infinity. Where generated
    and real images can hardly be told apart (the floor), FID is all bias, resampling overstates
    its spread, and the interval is too wide: up to 1.7 times the standard error.

    Not for recall: images resampled twice are each other's nearest neighbours at no distance.

    Args:
        statistic: the score of the images with the given indices (int64, ``n`` of them).
        point: the score of all of them.
        seed: of a NumPy generator of its own; global generators stay as they are.
    """
    drawn = stats.bootstrap(
        (np.arange(n),),
        statistic,
        n_resamples=resamples,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=False,
        rng=np.random.default_rng(seed),
    )
    shift = point - drawn.bootstrap_distribution.mean()
    low, high = (float(bound + shift) for bound in drawn.confidence_interval)
    return Noise(float(drawn.standard_error), low, high)


def noise_of_mean(values: Tensor) -> Noise:
    """Of the mean of one value an image (N, at least 2) under another draw of the images.

    The interval is the normal one.
    """
    mean = float(values.double().mean())
    error = float(values.double().std()) / math.sqrt(len(values))
    half = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * error
    return Noise(error, mean - half, mean + half)


def fid_curve(
    to_real: FidTo, generated: Tensor, *, seed: int, parts: int = 5
) -> list[tuple[int, float]]:
    """Mean FID of subsets of the generated images, by their size, against all real images.

    The images are put on a circle in a random order. The subsets of n / 5, 2 n / 5, ... n images
    are runs along it that start at five equal distances, so that those of one size hold every
    image equally often; those of n / 5 have none in common.

    Args:
        generated: features, n x d, on the CPU.
        seed: of the order.
        parts: how many sizes, and how many subsets of each (of all n there is but one).

    Returns:
        (size, FID) by rising size, without sizes <= d, of which there is no FID.
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

    FID at N is a + b / N to first order, for a b that depends on the model, so that equal N alone
    do not make FIDs comparable; a is this one's answer (Chong & Forsyth, 1911.07023; there the
    latents are a low-discrepancy sequence, here random). The number of real images stays finite,
    and with it their part of the bias, which is much the same for every model. Of a model without
    fault the answer can come out below 0.

    Args:
        curve: (N, FID), as `fid_curve` gives it.
    """
    if len(curve) < 2:
        return None
    sizes, scores = np.array(curve, dtype=np.float64).T
    return float(stats.linregress(1 / sizes, scores).intercept)

"""FID of real images with known damage: how sensitive a judge is."""

from collections.abc import Callable, Iterator

import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from ganvae.core.images import from_uint8, to_uint8
from ganvae.core.seeds import generator
from ganvae.metrics.fid import FidTo

BLURS = (0.5, 1.0, 1.5)
NOISES = (0.05, 0.1, 0.2)
MOST = 10_000


def sensitivity(
    features: Callable[[Tensor], Tensor], train: Tensor, test: Tensor
) -> dict[str, float]:
    """Measure FID of damaged test images against the test images, in the features of a judge.

    ``floor`` is FID of random training images, the same number as test images, but at most 10,000.
    ``blur_S`` is FID of test images, blurred with a Gaussian of S pixels. ``noise_S`` is FID of
    test images with Gaussian noise of standard deviation S, where 1 is the range of a pixel.

    Args:
        features: a function from uint8 images to their features, N x d.
        train, test: uint8, N x C x H x W.
    """
    to_real = FidTo(features(test))
    return {name: to_real(features(images)) for name, images in _damaged(train, test)}


def _damaged(train: Tensor, test: Tensor) -> Iterator[tuple[str, Tensor]]:
    n = min(len(train), len(test), MOST)
    yield "floor", train[torch.randperm(len(train), generator=generator(0, "judge's floor"))[:n]]
    pixels = from_uint8(test)
    for pixel in BLURS:
        yield f"blur_{pixel}", _quantised(_blurred(pixels, pixel))
    for deviation in NOISES:
        grains = torch.randn(pixels.shape, generator=generator(0, "noise", round(100 * deviation)))
        yield f"noise_{deviation}", _quantised(pixels + deviation * grains)


def _blurred(pixels: Tensor, deviation: float) -> Tensor:
    """Blur with scipy, and not with the code that made the judge's training images."""
    return torch.from_numpy(gaussian_filter(pixels.numpy(), sigma=(0, 0, deviation, deviation)))


def _quantised(pixels: Tensor) -> Tensor:
    return to_uint8(pixels.clamp(0, 1))

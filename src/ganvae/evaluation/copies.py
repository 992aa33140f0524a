"""Search for copies among samples: copies of real images, and copies of other samples.

No pixel of a copy differs from the original by more than one grey level. A difference of one level
is allowed, because saving and loading can round values. So two copies of the same original differ
by at most two levels.
"""

from collections.abc import Iterator

import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from ganvae.evaluation.evaluator import Evaluator
from ganvae.metrics.distances import nearest, nearest_other, pixels

BY_CHANCE = 0.01
"""The largest allowed share of copies among the samples. Blank images can be equal by chance."""

LEVELS = 1
"""The largest difference between a copy and its original at any pixel, in uint8 grey levels."""


def copy_flags(images: Tensor, evaluator: Evaluator) -> Iterator[str]:
    """Yield flags on copies among the samples.

    One flag says that more than 1 % of the samples are copies of other samples. Another flag, one
    per split, says that more than 1 % of the samples are copies of real images of this split.

    Args:
        images: the samples, uint8, N x C x H x W.
        evaluator: an evaluator with the images of its reference.
    """
    distinct = distinct_images(images)
    if distinct < (1 - BY_CHANCE) * len(images):
        yield (
            f"only {distinct:,} of {len(images):,} samples differ from each other, so they are no "
            "independent draws and the record is not ranked"
        )
    originals = {"train": evaluator.train.images}
    if evaluator.images is not None:
        originals.setdefault(evaluator.reference.split, evaluator.images)
    for split, real in originals.items():
        copies = int(_equal(images, real[nearest(pixels(images), pixels(real))[0]]).sum())
        if copies > BY_CHANCE * len(images):
            yield (
                f"{copies:,} of {len(images):,} samples are copies of {split} images, so the "
                "record is not ranked"
            )


def distinct_images(images: Tensor) -> int:
    """Count uint8 images, N x C x H x W. Images that are copies of each other count once."""
    shape = images.shape[1:]
    images = images.flatten(start_dim=1).unique(dim=0).unflatten(1, shape)
    if len(images) < 2:
        return len(images)
    other = nearest_other(pixels(images))
    copies = _equal(images, images[other], 2 * LEVELS).nonzero().flatten()
    pairs = (torch.ones(len(copies)).numpy(), (copies.numpy(), other[copies].numpy()))
    return int(connected_components(coo_array(pairs, shape=(len(images),) * 2), directed=False)[0])


def _equal(images: Tensor, others: Tensor, levels: int = LEVELS) -> Tensor:
    """Compare each image with the image of ``others`` at the same index.

    Return True for each pair without a pixel difference above ``levels``: bool, N.
    """
    differences = (images.to(torch.int16) - others.to(torch.int16)).abs()
    return differences.flatten(start_dim=1).amax(dim=1) <= levels

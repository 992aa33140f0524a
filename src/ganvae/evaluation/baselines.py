"""The two ends of every table: as good as real images, and as bad as no model at all."""

import torch
from torch import Tensor

from ganvae.errors import ConfigError
from ganvae.images import from_uint8, to_uint8


def floor(train: Tensor, n: int, random: torch.Generator) -> Tensor:
    """``n`` different real training images, scored as if a model had generated them.

    Args:
        train: uint8, N x C x H x W.
    """
    if n > len(train):
        raise ConfigError(
            f"evaluation.n_generated = {n}: the floor needs as many training images, "
            f"found {len(train)}."
        )
    return train[torch.randperm(len(train), generator=random)[:n]]


def ceiling(train: Tensor, n: int, random: torch.Generator) -> Tensor:
    """``n`` images of independent Gaussian pixels with the training set's means and deviations.

    What falls outside [0, 1] is set to the nearer end: that is this generator's own doing.
    """
    pixels = from_uint8(train)
    mean, deviation = pixels.mean(dim=0), pixels.std(dim=0)
    noise = torch.randn(n, *mean.shape, generator=random)
    return to_uint8((mean + deviation * noise).clamp(0, 1))


BASELINES = {"floor": floor, "ceiling": ceiling}

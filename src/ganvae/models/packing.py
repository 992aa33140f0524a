"""Packs of images for a discriminator (PacGAN: Lin et al., 1712.04086)."""

from torch import Tensor

from ganvae.models.base import ImageShape


def packed(images: Tensor, size: int) -> Tensor:
    """Join ``size`` consecutive images along their channels, for each pack.

    Args:
        images: N x C x H x W. N must be a multiple of ``size``.

    Returns:
        The packs, (N / size) x (size C) x H x W.
    """
    return images if size == 1 else images.unflatten(0, (-1, size)).flatten(1, 2)


def packed_shape(shape: ImageShape, size: int) -> ImageShape:
    """Return the shape of a pack of ``size`` images of ``shape``."""
    channels, height, width = shape
    return size * channels, height, width

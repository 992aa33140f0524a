"""Checks and conversions of images, and grids of images as PNG files.

Contract images are float32, N x C x H x W, in [0, 1]. Data, models and metrics exchange only
contract images. On disk and inside metrics, images are uint8. Only `to_uint8` converts contract
images to uint8.
"""

import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvae.core.errors import UserError
from ganvae.core.files import replacing


class ImageError(UserError):
    """An array is not a batch of contract images."""


class NotFiniteError(ImageError):
    """An image has NaN or infinite values, for example because a weight of a model is NaN."""


def check_images(images: Tensor, what: str = "images") -> Tensor:
    """Return ``images`` unchanged if they are contract images. Otherwise raise an error.

    Args:
        what: the name of the images in error messages.

    Raises:
        NotFiniteError: a value is NaN or infinite.
        ImageError: the images are not float32 of shape N x C x H x W, or a value is outside [0, 1].
            The message names the first invalid value.
    """
    if images.dtype != torch.float32 or images.ndim != 4:
        raise ImageError(
            f"{what}: expected float32 of shape N x C x H x W, "
            f"found {str(images.dtype).removeprefix('torch.')} of shape {tuple(images.shape)}."
        )
    valid = (images >= 0) & (images <= 1)  # false for NaN
    if not bool(valid.all()):
        first = float(images[~valid][0])
        kind = ImageError if math.isfinite(first) else NotFiniteError
        raise kind(f"{what}: every value must lie in [0, 1], found {first}.")
    return images


def to_uint8(images: Tensor, what: str = "images") -> Tensor:
    """Quantise contract images to uint8 by ``round(255 x)``, without a change of shape."""
    return (check_images(images, what) * 255).round().to(torch.uint8)


def from_uint8(images: Tensor) -> Tensor:
    """Convert uint8 images to contract images, without a change of shape."""
    return images.to(torch.float32) / 255


def binarised(images: Tensor, random: torch.Generator) -> Tensor:
    """Draw black-and-white uint8 images from grey images.

    A pixel of value x becomes 255 with probability x / 255, else 0.

    Args:
        images: uint8, of any shape.
        random: a generator on the images' device.
    """
    draws = torch.randint(
        255, images.shape, generator=random, dtype=torch.uint8, device=images.device
    )
    return torch.where(draws < images, 255, 0).to(torch.uint8)


def grid(images: Tensor, columns: int) -> np.ndarray:
    """Arrange N images in a grid, with a one-pixel grey line around each image.

    Args:
        images: uint8, N x C x H x W with C 1 or 3.
        columns: images per row. The last row may be shorter.

    Returns:
        uint8 array, height x width x C.
    """
    pixels = images.cpu().numpy()
    n, channels, height, width = pixels.shape
    rows = -(-n // columns)
    canvas = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, channels), 96, np.uint8)
    for index, image in enumerate(pixels):
        top = (index // columns) * (height + 1) + 1
        left = (index % columns) * (width + 1) + 1
        canvas[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    return canvas


def write_png(path: Path, pixels: np.ndarray, scale: int = 1) -> None:
    """Write a uint8 height x width x C array (C 1 or 3) as PNG, atomically.

    Every pixel becomes ``scale`` x ``scale`` pixels. So small images grow without blur.
    """
    pixels = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    with replacing(path) as temporary:
        image.save(temporary, format="PNG", optimize=True)

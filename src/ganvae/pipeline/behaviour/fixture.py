"""Make small images and weights that are equal on every machine and in every library version."""

import zlib
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from ganvae.models.base import ImageShape

CLASSES = 10
POINTS = 4  # corners of a class's line
STROKE = 0.09  # half of the line's width; the image's side is 1


def drawings(n: int, shape: ImageShape, first: int = 0) -> Tensor:
    """Draw ``n`` uint8 images, n x C x H x W. Each channel shows a bent line.

    Image number i, counted from ``first``, has class i modulo `CLASSES`. Each class has its own
    line, slightly shifted per image. The images need only basic arithmetic and square roots,
    because all processors round these operations alike.

    Args:
        shape: C x H x W.
        first: the number of the first image.
    """
    channels, height, width = shape
    images = [
        [_line(i, channel, height, width) for channel in range(channels)]
        for i in range(first, first + n)
    ]
    return torch.from_numpy(np.array(images, dtype=np.uint8))


def labels(n: int, first: int = 0) -> Tensor:
    """Return the classes of the images that `drawings` draws, as n int64 numbers."""
    return torch.arange(first, first + n) % CLASSES


def _line(number: int, channel: int, height: int, width: int) -> np.ndarray:
    corners = np.random.default_rng([1, (number + 3 * channel) % CLASSES]).random((POINTS, 2))
    shift = np.random.default_rng([2, number, channel]).random((POINTS, 2))
    points = 0.2 + 0.5 * corners + 0.1 * shift
    y, x = np.meshgrid((np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width,
                       indexing="ij")  # fmt: skip
    nearest = np.full((height, width), np.inf)
    for (y0, x0), (y1, x1) in pairwise(points):
        dy, dx = y1 - y0, x1 - x0
        along = ((y - y0) * dy + (x - x0) * dx) / (dy * dy + dx * dx)
        along = np.minimum(np.maximum(along, 0), 1)
        off_y, off_x = y - y0 - along * dy, x - x0 - along * dx
        nearest = np.minimum(nearest, np.sqrt(off_y * off_y + off_x * off_x))
    return np.round(255 * np.minimum(np.maximum(2 - nearest / STROKE, 0), 1))


def fill(network: nn.Module) -> None:
    """Set a network's weights to values that depend only on the weights' names and shapes.

    Matrices are scaled so that activations stay in range. The running variances of batch norms are
    positive.
    """
    network.load_state_dict(filled(network.state_dict()))


def filled(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return new tensors with the names, shapes and types in ``state``.

    The values depend only on the names and shapes.
    """
    return {name: _values(name, tensor) for name, tensor in state.items()}


def _values(name: str, like: Tensor) -> Tensor:
    if not like.is_floating_point():
        return torch.zeros_like(like)
    draws = np.random.default_rng(zlib.crc32(name.encode())).random(like.numel()) - 0.5
    if name.endswith("running_var"):
        draws = draws + 1
    elif like.ndim > 1:
        draws = draws * 4 / np.sqrt(like[0].numel())
    elif name.endswith("weight"):
        draws = draws + 1
    return torch.from_numpy(draws).to(like.dtype).reshape(like.shape)


def sketch(values: Tensor) -> list[float]:
    """Return two numbers that identify a tensor: its norm and its projection on a fixed direction.

    Both numbers are computed in double precision.
    """
    flat = values.detach().cpu().double().flatten()
    direction = np.random.default_rng(flat.numel()).random(flat.numel()) - 0.5
    return [float(flat.square().sum().sqrt()), float(flat @ torch.from_numpy(direction))]

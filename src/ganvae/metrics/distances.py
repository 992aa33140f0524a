"""Distances between all rows of two matrices, a block at a time."""

from collections.abc import Callable

import torch
from torch import Tensor

from ganvae.core.images import from_uint8

ENTRIES = 5_000_000
"""Of the distance matrix at a time: 20 MB. Blocks of other sizes take longer."""


def pixels(images: Tensor) -> Tensor:
    """uint8 images as rows of values in [0, 1], to measure distances in."""
    return from_uint8(images).flatten(start_dim=1)


def rows_a_block(others: Tensor) -> int:
    """How many rows to take at a time against so many others."""
    return max(1, ENTRIES // len(others))


def squared_distances_to(others: Tensor) -> Callable[[Tensor], Tensor]:
    """A function that gives the squared distances, N x M, of rows, N x d, to ``others``, M x d.

    |a - b|^2 = |a|^2 + |b|^2 - 2 a b: all of it is one matrix product, whose second factor is
    the same for every block.
    """
    b = torch.cat([others, torch.ones(len(others), 1), _squares(others)], dim=1).T

    def of(rows: Tensor) -> Tensor:
        a = torch.cat([-2 * rows, _squares(rows), torch.ones(len(rows), 1)], dim=1)
        return a @ b

    return of


def nearest(queries: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest of ``points`` to each query: its index, and its distance.

    Args:
        queries: float32, N x d.
        points: float32, M x d.

    Returns:
        Indices, int64, and Euclidean distances, float32, both N. The distance is that of the
        found point, taken anew from the difference: a copy's is exactly 0.
    """
    centre = points.mean(dim=0)  # distances stay; their rounding errors become small
    distances = squared_distances_to(points - centre)
    blocks = (queries - centre).split(rows_a_block(points))
    index = torch.cat([distances(rows).argmin(dim=1) for rows in blocks])
    return index, torch.linalg.vector_norm(queries - points[index], dim=1)


def _squares(vectors: Tensor) -> Tensor:
    return vectors.square().sum(dim=1, keepdim=True)

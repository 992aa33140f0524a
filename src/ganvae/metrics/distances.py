"""Distances between all rows of two matrices, computed in blocks."""

from collections.abc import Callable

import torch
from torch import Tensor

from ganvae.core.images import from_uint8

ENTRIES = 5_000_000
"""The number of distances computed at once (20 MB). Larger and smaller blocks take longer."""


def pixels(images: Tensor) -> Tensor:
    """Flatten uint8 images, N x C x H x W, to float32 rows, N x (C H W), with values in [0, 1].

    The rows serve for distances in pixel space.
    """
    return from_uint8(images).flatten(start_dim=1)


def rows_a_block(others: Tensor) -> int:
    """The number of rows whose distances to all of ``others`` are computed at once.

    One block of distances has at most `ENTRIES` entries, unless a single row has more.
    """
    return max(1, ENTRIES // len(others))


def squared_distances_to(others: Tensor) -> Callable[[Tensor], Tensor]:
    """Create a function that returns the squared distances, N x M, from N rows to ``others``.

    The function takes rows, N x d; ``others`` is M x d. Because |a - b|^2 = |a|^2 + |b|^2 - 2 a b,
    a single matrix product gives all distances. The matrix that contains ``others`` is prepared
    only once.
    """
    b = torch.cat([others, torch.ones(len(others), 1), _squares(others)], dim=1).T

    def squared_distances(rows: Tensor) -> Tensor:
        a = torch.cat([-2 * rows, _squares(rows), torch.ones(len(rows), 1)], dim=1)
        return a @ b

    return squared_distances


def nearest(queries: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Find the point nearest to each query.

    Args:
        queries: float32, N x d.
        points: float32, M x d.

    Returns:
        The indices of the nearest points (int64, N) and their Euclidean distances (float32, N).
        Each distance is computed again from the difference of query and point. So a query that
        equals a point has a distance of exactly 0.
    """
    centre = points.mean(dim=0)  # centring keeps the distances and reduces their rounding errors
    distances = squared_distances_to(points - centre)
    blocks = (queries - centre).split(rows_a_block(points))
    index = torch.cat([distances(rows).argmin(dim=1) for rows in blocks])
    return index, torch.linalg.vector_norm(queries - points[index], dim=1)


def nearest_other(points: Tensor) -> Tensor:
    """For each point, find the nearest other point. Return the indices of these points (int64, N).

    Args:
        points: float32, N x d, with N at least 2.
    """
    centred = points - points.mean(dim=0)
    distances = squared_distances_to(centred)
    index, start = [], 0
    for rows in centred.split(rows_a_block(points)):
        block = distances(rows)
        own = torch.arange(len(rows))
        block[own, start + own] = torch.inf
        index.append(block.argmin(dim=1))
        start += len(rows)
    return torch.cat(index)


def _squares(vectors: Tensor) -> Tensor:
    return vectors.square().sum(dim=1, keepdim=True)

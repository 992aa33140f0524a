"""Precision and recall (Kynkaanniemi et al., 1904.06991), density and coverage (2002.09797)."""

from typing import NamedTuple

import torch
from torch import Tensor

from ganvae.errors import UserError

ROWS = 500  # of the distance matrix at a time: 20 MB against 10,000 images


class PRDC(NamedTuple):
    """Shares between 0 and 1, but for density, which can be more.

    ``precision``: of generated images inside the real manifold; ``recall``: of real images inside
    the generated one; ``density``: how many real balls a generated image lies in, over k;
    ``coverage``: of real images whose ball holds a generated one.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(*, real: Tensor, generated: Tensor, k: int = 5) -> PRDC:
    """The four scores of two float32 feature sets, N x d and M x d, on the CPU.

    The manifold of a set is the union of balls around its images that reach to the ``k``-th
    nearest neighbour in the set, the image itself not counted (1904.06991, eq. 1).

    Raises:
        UserError: a set has no more than ``k`` images.
    """
    for name, features in (("real", real), ("generated", generated)):
        if len(features) <= k:
            raise UserError(
                f"precision and recall by {k} neighbours need more than {k} {name} images, "
                f"found {len(features)}."
            )
    centre = real.mean(dim=0)  # distances stay; their rounding errors become small
    real, generated = real - centre, generated - centre
    real_radii, generated_radii = _squared_radii(real, k), _squared_radii(generated, k)
    balls_around = torch.zeros(len(generated), dtype=torch.int64)
    recalled = covered = 0
    for rows, radii in zip(real.split(ROWS), real_radii.split(ROWS), strict=True):
        distances = _squared_distances(rows, generated)
        in_real_ball = distances < radii[:, None]
        balls_around += in_real_ball.sum(dim=0)
        covered += int(in_real_ball.any(dim=1).sum())
        recalled += int((distances < generated_radii).any(dim=1).sum())
    return PRDC(
        precision=float((balls_around > 0).double().mean()),
        recall=recalled / len(real),
        density=float(balls_around.double().mean()) / k,
        coverage=covered / len(real),
    )


def _squared_radii(features: Tensor, k: int) -> Tensor:
    """Squared distance of each image to its k-th nearest neighbour; the nearest is itself."""
    return torch.cat(
        [
            _squared_distances(rows, features).topk(k + 1, largest=False).values[:, -1]
            for rows in features.split(ROWS)
        ]
    )


def _squared_distances(rows: Tensor, others: Tensor) -> Tensor:
    """|a - b|^2 = |a|^2 + |b|^2 - 2 a b, all of it in one matrix product."""
    a = torch.cat([-2 * rows, _squares(rows), torch.ones(len(rows), 1)], dim=1)
    b = torch.cat([others, torch.ones(len(others), 1), _squares(others)], dim=1)
    return a @ b.T


def _squares(vectors: Tensor) -> Tensor:
    return vectors.square().sum(dim=1, keepdim=True)

"""Precision and recall (Kynkaanniemi et al., 1904.06991), density and coverage (2002.09797)."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganvae.core.errors import UserError
from ganvae.metrics.distances import rows_a_block, squared_distances_to

NEIGHBOURS = 32
"""The number of nearest neighbours that are stored of each generated image.

In a random half of the images, the 5th nearest neighbour of an image is almost always among its 32
nearest neighbours in the whole set (but for 1 in 60,000 images).
"""
PAIRS = 64
"""The largest number of stored pairs per real image. See `Neighbourhoods.near`."""


class PRDC(NamedTuple):
    """Precision, recall, density and coverage. Only density can exceed 1.

    Each image has a ball that reaches to the k-th nearest other image of the same set. The manifold
    of a set is the union of the balls of its images.

    Attributes:
        precision: the share of generated images that lie in the manifold of the real images.
        recall: the share of real images that lie in the manifold of the generated images.
        density: the number of balls of real images that contain a generated image. This number is
            averaged over the generated images and divided by k.
        coverage: the share of real images whose ball contains at least one generated image.
    """

    precision: float
    recall: float
    density: float
    coverage: float


@dataclass(frozen=True)
class Neighbourhoods:
    """The neighbourhoods of N real and M generated images, from which all four scores derive.

    Attributes:
        k: the number of neighbours that an image's ball reaches to.
        n_real: the number of real images, N.
        balls: the number of real images' balls that contain each generated image, M.
        recalled: whether each real image lies in the manifold of the generated images, N.
        covered: whether each real image's ball contains a generated image, N.
        neighbours: the indices of each generated image's nearest other generated images, and their
            squared distances, M x at most `NEIGHBOURS`, nearest first.
        near: pairs of a real and a generated image, with their squared distance: the pairs in
            which the real image might lie in the generated image's ball after some of the generated
            images have been left out. Each real image has at most `PAIRS` pairs, those whose
            distance is smallest in units of the radius of the ball.
        inside: pairs of a real image, and a generated image in its ball. Each real image has at
            most `PAIRS` pairs.

    A real image with `PAIRS` pairs has lost pairs. But some of its pairs is almost surely among any
    half of the generated images, so `of_half` hardly changes.
    """

    k: int
    n_real: int
    balls: Tensor
    recalled: Tensor
    covered: Tensor
    neighbours: tuple[Tensor, Tensor]
    near: tuple[Tensor, Tensor, Tensor]
    inside: tuple[Tensor, Tensor]

    @property
    def scores(self) -> PRDC:
        """The scores of all images."""
        return PRDC(
            precision=float((self.balls > 0).double().mean()),
            recall=float(self.recalled.double().mean()),
            density=float(self.balls.double().mean()) / self.k,
            coverage=float(self.covered.double().mean()),
        )

    def of_half(self, kept: Tensor) -> tuple[float, float]:
        """Recall and coverage if only a half of the generated images had been drawn.

        Args:
            kept: whether each generated image is kept, bool, M. If far fewer than half of the
                images are kept, the stored neighbours do not suffice.
        """
        index, squares = self.neighbours
        rank = kept[index].cumsum(dim=1)
        last = (rank < self.k).sum(dim=1).clamp(max=squares.shape[1] - 1)
        radii = squares.gather(1, last[:, None])[:, 0]
        real, generated, distances = self.near
        hits = kept[generated] & (distances < radii[generated])
        covering = kept[self.inside[1]]
        return self._share(real[hits]), self._share(self.inside[0][covering])

    def _share(self, real: Tensor) -> float:
        """The share of the real images whose indices are in ``real``."""
        return np.count_nonzero(np.bincount(real.numpy(), minlength=self.n_real)) / self.n_real


def prdc(*, real: Tensor, generated: Tensor, k: int = 5) -> PRDC:
    """Compute precision, recall, density and coverage of a set of generated images.

    The arguments and errors are those of `neighbourhoods`.
    """
    return neighbourhoods(real=real, generated=generated, k=k).scores


def neighbourhoods(*, real: Tensor, generated: Tensor, k: int = 5) -> Neighbourhoods:
    """Compute the neighbourhoods of real and generated images.

    ``real``, N x d, and ``generated``, M x d, are float32 features on the CPU. The ball of an image
    reaches to the ``k``-th nearest neighbour in the same set, not counting the image itself
    (1904.06991, eq. 1).

    Raises:
        UserError: a set has ``k`` images or fewer.
    """
    for name, features in (("real", real), ("generated", generated)):
        if len(features) <= k:
            raise UserError(
                f"precision and recall with {k} neighbours need more than {k} {name} images, but "
                f"found {len(features)}: increase evaluation.n_generated or the size of the split."
            )
    centre = real.mean(dim=0)  # centring keeps the distances and reduces their rounding errors
    real, generated = real - centre, generated - centre
    real_radii = _nearest_others(real, k)[1][:, -1]
    index, squares = _nearest_others(generated, NEIGHBOURS)
    radii, widest = squares[:, k - 1], squares[:, -1]
    balls = torch.zeros(len(generated), dtype=torch.int64)
    recalled, covered, near, inside = [], [], [], []
    block, to_generated = rows_a_block(generated), squared_distances_to(generated)
    start = 0
    for rows, own_radii in zip(real.split(block), real_radii.split(block), strict=True):
        distances = to_generated(rows)
        in_real_ball = distances < own_radii[:, None]
        balls += in_real_ball.sum(dim=0)
        covered.append(in_real_ball.any(dim=1))
        recalled.append((distances < radii).any(dim=1))
        near.append(_pairs(distances < widest, distances, radii, start))
        inside.append(_pairs(in_real_ball, distances, radii, start))
        start += len(rows)
    of_real, of_generated, apart = map(torch.cat, zip(*near, strict=True))
    containing, contained, _ = map(torch.cat, zip(*inside, strict=True))
    return Neighbourhoods(
        k=k,
        n_real=len(real),
        balls=balls,
        recalled=torch.cat(recalled),
        covered=torch.cat(covered),
        neighbours=(index, squares),
        near=(of_real, of_generated, apart),
        inside=(containing, contained),
    )


def _pairs(
    chosen: Tensor, distances: Tensor, radii: Tensor, start: int
) -> tuple[Tensor, Tensor, Tensor]:
    """List the chosen pairs of a block, at most `PAIRS` per row: those nearest in units of radii.

    Returns:
        The rows (counted from ``start``), the columns, and the distances of the pairs.
    """
    crowded = (chosen.sum(dim=1) > PAIRS).nonzero()[:, 0]
    if len(crowded):
        few = (distances[crowded] / radii).masked_fill(~chosen[crowded], torch.inf)
        best = few.topk(PAIRS, dim=1, largest=False).indices
        chosen = chosen.index_copy(0, crowded, torch.zeros_like(few, dtype=torch.bool))
        chosen[crowded[:, None], best] = True
    rows, columns = chosen.nonzero(as_tuple=True)
    return rows + start, columns, distances[rows, columns]


def _nearest_others(features: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Return the indices and the squared distances of each image's nearest other images.

    ``features`` is N x d, one row per image. Both results are N x n, nearest first, where n is
    ``most`` or, if there are fewer other images, their number.
    """
    distances = squared_distances_to(features)
    blocks = features.split(rows_a_block(features))
    found = []
    for rows in blocks:
        found.append(distances(rows).topk(min(most + 1, len(features)), largest=False))
    squares, index = (torch.cat(part) for part in zip(*found, strict=True))
    return index[:, 1:], squares[:, 1:]

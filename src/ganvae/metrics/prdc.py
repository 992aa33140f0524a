"""Precision and recall (Kynkaanniemi et al., 1904.06991), density and coverage (2002.09797)."""

from typing import NamedTuple

import torch
from torch import Tensor

from ganvae.core.errors import UserError
from ganvae.metrics.distances import rows_a_block, squared_distances_to


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


def prdc(*, real: Tensor, generated: Tensor, k: int = 5) -> PRDC:
    """Compute precision, recall, density and coverage of a set of generated images.

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
    real_radii, generated_radii = _squared_radii(real, k), _squared_radii(generated, k)
    balls_around = torch.zeros(len(generated), dtype=torch.int64)
    recalled = covered = 0
    block, to_generated = rows_a_block(generated), squared_distances_to(generated)
    for rows, radii in zip(real.split(block), real_radii.split(block), strict=True):
        distances = to_generated(rows)
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
    """Return each image's squared distance to its k-th nearest other image: N.

    ``features`` is N x d, one row per image.
    """
    distances = squared_distances_to(features)
    blocks = features.split(rows_a_block(features))
    return torch.cat([distances(rows).topk(k + 1, largest=False).values[:, -1] for rows in blocks])

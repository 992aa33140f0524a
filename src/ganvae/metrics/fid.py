"""Frechet distance between two sets of features (Heusel et al., 1706.08500, eq. 6)."""

from torch import Tensor, float64, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from ganvae.errors import UserError


class _Precomputed(nn.Module):
    """Stands where torchmetrics expects a feature extractor; the features are already there."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def fid(*, real: Tensor, generated: Tensor) -> float:
    """Squared Frechet distance of the Gaussians fitted to two feature sets, each N x d.

    0 for equal means and covariances. It is biased upwards by a term in 1/N, so only scores of
    equal N compare.

    Raises:
        UserError: N <= d in either set: the fitted covariance is singular.
    """
    for name, features in (("real", real), ("generated", generated)):
        n, d = features.shape
        if n <= d:
            raise UserError(
                f"FID over {d} features needs more than {d} {name} images, found {n}: "
                "raise evaluation.n_generated or the size of the split."
            )
    metric = FrechetInceptionDistance(feature=_Precomputed(real.shape[1]))
    metric.set_dtype(float64)
    metric.update(real.to(float64), real=True)
    metric.update(generated.to(float64), real=False)
    # Rounding can leave the distance of a set to itself a hair below zero.
    return max(0.0, float(metric.compute()))

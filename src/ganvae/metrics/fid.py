"""Frechet distance between two sets of features (Heusel et al., 1706.08500, eq. 6)."""

from typing import NamedTuple

import torch
from scipy.linalg.blas import dsyrk
from torch import Tensor

from ganvae.core.errors import UserError


class _Moments(NamedTuple):
    """Mean (d) and covariance (d x d, divided by N - 1), float64."""

    mean: Tensor
    covariance: Tensor


def fid(*, real: Tensor, generated: Tensor) -> float:
    """Squared Frechet distance between the Gaussians fitted to two feature sets, each N x d.

    The distance is 0 for equal means and covariances. A term in 1/N biases it upwards, so compare
    only scores with equal N.

    Raises:
        UserError: N <= d in one of the sets, so the fitted covariance is singular.
    """
    return FidTo(real)(generated)


class FidTo:
    """`fid` between one real set, N x d, and any number of generated sets.

    The Gaussian of the real set is fitted only once.

    Raises:
        UserError: as in `fid`, for either set.
    """

    def __init__(self, real: Tensor) -> None:
        self._real = _moments(real, "real")

    def __call__(self, generated: Tensor) -> float:
        mean_1, covariance_1 = self._real
        mean_2, covariance_2 = _moments(generated, "generated")
        means = (mean_1 - mean_2).square().sum()
        covariances = covariance_1.trace() + covariance_2.trace()
        distance = means + covariances - 2 * _trace_of_root(covariance_1, covariance_2)
        # Rounding can make the distance between a set and itself slightly negative.
        return max(0.0, float(distance))


def _moments(features: Tensor, name: str) -> _Moments:
    n, d = features.shape
    if n <= d:
        raise UserError(
            f"FID with {d} features needs more than {d} {name} images, but found {n}: "
            "increase evaluation.n_generated or the size of the split."
        )
    features = features.double()
    mean = features.mean(dim=0)
    centred = (features - mean).numpy()
    # The product of a matrix with its own transpose is symmetric, so BLAS computes only half of it.
    half = torch.from_numpy(dsyrk(1 / (n - 1), centred.T))
    return _Moments(mean, half + half.triu(diagonal=1).T)


def _trace_of_root(a: Tensor, b: Tensor) -> Tensor:
    """tr (a b)^(1/2) of two covariance matrices.

    With a = r r^T, the matrix a b has the same eigenvalues as r^T b r. That matrix is symmetric,
    so its eigenvalues are real and fast to compute. A general root of a b takes much longer.
    """
    root = _root(a)
    eigenvalues = torch.linalg.eigvalsh(root.T @ b @ root)
    return eigenvalues.clamp(min=0).sqrt().sum()


def _root(covariance: Tensor) -> Tensor:
    """A matrix r with r r^T = covariance. The Cholesky method fails for constant features."""
    root, failed = torch.linalg.cholesky_ex(covariance)
    if not failed:
        return root
    eigenvalues, vectors = torch.linalg.eigh(covariance)
    return vectors * eigenvalues.clamp(min=0).sqrt()

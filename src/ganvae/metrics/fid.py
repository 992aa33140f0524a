"""Frechet distance between two sets of features (Heusel et al., 1706.08500, eq. 6)."""

from typing import NamedTuple

import torch
from scipy.linalg.blas import dsyrk
from torch import Tensor

from ganvae.core.errors import UserError


class _Moments(NamedTuple):
    """Mean (d) and covariance (d x d, over N - 1), float64."""

    mean: Tensor
    covariance: Tensor


def fid(*, real: Tensor, generated: Tensor) -> float:
    """Squared Frechet distance of the Gaussians fitted to two feature sets, each N x d.

    0 for equal means and covariances. It is biased upwards by a term in 1/N, so only scores of
    equal N compare.

    Raises:
        UserError: N <= d in either set: the fitted covariance is singular.
    """
    return FidTo(real)(generated)


class FidTo:
    """`fid` of one real set, N x d, to any generated ones; its Gaussian is fitted once.

    Raises:
        UserError: as `fid`, for either set.
    """

    def __init__(self, real: Tensor) -> None:
        self._real = _moments(real, "real")

    def __call__(self, generated: Tensor) -> float:
        mean_1, covariance_1 = self._real
        mean_2, covariance_2 = _moments(generated, "generated")
        means = (mean_1 - mean_2).square().sum()
        covariances = covariance_1.trace() + covariance_2.trace()
        distance = means + covariances - 2 * _trace_of_root(covariance_1, covariance_2)
        # Rounding can leave the distance of a set to itself a hair below zero.
        return max(0.0, float(distance))


def _moments(features: Tensor, name: str) -> _Moments:
    n, d = features.shape
    if n <= d:
        raise UserError(
            f"FID over {d} features needs more than {d} {name} images, found {n}: "
            "raise evaluation.n_generated or the size of the split."
        )
    features = features.double()
    mean = features.mean(dim=0)
    centred = (features - mean).numpy()
    # A product with its own transpose is symmetric: BLAS need compute but half of it.
    half = torch.from_numpy(dsyrk(1 / (n - 1), centred.T))
    return _Moments(mean, half + half.triu(diagonal=1).T)


def _trace_of_root(a: Tensor, b: Tensor) -> Tensor:
    """tr (a b)^(1/2) of two covariance matrices.

    With a = r r^T, the matrix a b has the eigenvalues of r^T b r, which is symmetric: they are
    real and quickly found, where a general root of a b takes many times as long.
    """
    root = _root(a)
    eigenvalues = torch.linalg.eigvalsh(root.T @ b @ root)
    return eigenvalues.clamp(min=0).sqrt().sum()


def _root(covariance: Tensor) -> Tensor:
    """A matrix r with r r^T = covariance; features that never vary make Cholesky's fail."""
    root, failed = torch.linalg.cholesky_ex(covariance)
    if not failed:
        return root
    eigenvalues, vectors = torch.linalg.eigh(covariance)
    return vectors * eigenvalues.clamp(min=0).sqrt()

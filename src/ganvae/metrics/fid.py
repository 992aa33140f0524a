"""Frechet distance between two sets of features (Heusel et al., 1706.08500, eq. 6)."""

from typing import NamedTuple

import torch
from scipy.linalg.blas import dsyrk
from torch import Tensor

from ganvae.core.errors import UserError


class _Moments(NamedTuple):
    """The mean (d) and the covariance (d x d, divided by N - 1) of N x d features, float64."""

    mean: Tensor
    covariance: Tensor


def fid(*, real: Tensor, generated: Tensor) -> float:
    """Squared Frechet distance between the Gaussians fitted to two feature sets, each N x d.

    The distance is 0 for equal means and covariances. A bias of the order 1/N makes the distance
    too large, so compare only scores with equal N.

    Raises:
        UserError: a set has N <= d, so its covariance would be singular.
    """
    return FidTo(real)(generated)


class FidTo:
    """A function that computes `fid` between one real set, N x d, and any generated set.

    The Gaussian of the real set is fitted only once, when the object is created.

    Raises:
        UserError: a set has N <= d. The real set is checked at creation, a generated set per call.
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


def check_enough(n: int, d: int, name: str) -> None:
    """Check that ``n`` images are enough for an FID with ``d`` features.

    Args:
        name: which images they are, for the message: ``real`` or ``generated``.

    Raises:
        UserError: ``n`` <= ``d``.
    """
    if n <= d:
        raise UserError(
            f"FID with {d} features needs more than {d} {name} images, but found {n}: "
            "increase n_generated or the size of the split."
        )


def _moments(features: Tensor, name: str) -> _Moments:
    n, d = features.shape
    check_enough(n, d, name)
    features = features.double()
    mean = features.mean(dim=0)
    centred = (features - mean).numpy()
    # The product of a matrix with its own transpose is symmetric, so BLAS computes only half of it.
    half = torch.from_numpy(dsyrk(1 / (n - 1), centred.T))
    return _Moments(mean, half + half.triu(diagonal=1).T)


def _trace_of_root(a: Tensor, b: Tensor) -> Tensor:
    """Return the trace of (a b)^(1/2) for two covariance matrices, d x d.

    With a = r r^T, the matrix a b has the same eigenvalues as r^T b r. The matrix r^T b r is
    symmetric, so its eigenvalues are real and fast to compute. A general root of a b takes much
    longer.
    """
    root = _root(a)
    eigenvalues = torch.linalg.eigvalsh(root.T @ b @ root)
    return eigenvalues.clamp(min=0).sqrt().sum()


def _root(covariance: Tensor) -> Tensor:
    """Return a matrix r with r r^T = covariance, both d x d.

    The Cholesky decomposition fails if a feature is constant. In this case, the root is computed
    from the eigenvectors.
    """
    root, failed = torch.linalg.cholesky_ex(covariance)
    if not failed:
        return root
    eigenvalues, vectors = torch.linalg.eigh(covariance)
    return vectors * eigenvalues.clamp(min=0).sqrt()

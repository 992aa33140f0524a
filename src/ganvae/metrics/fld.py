"""Feature Likelihood Divergence and its generalisation gap (Jiralerspong et al., 2302.04440)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ganvae.metrics.distances import squared_distances_to

STEPS, LEARNING_RATE = 50, 0.5  # of Adam, as in the authors' code
NEAR = 1e-3
"""Added to the squared distance to the nearest image, before the first variance is computed."""
BACKGROUND = 0.9
"""The distances to the centre of all images are scaled by this factor (the authors' code)."""
LEAST_VARIANCE = 1e-4
"""The least variance of a Gaussian, in units of the features' own variance.

The authors' limit, exp(-40), is far below the rounding errors of distances. So the score of exact
copies would be a score of rounding errors. Only Gaussians of copies reach this limit.
"""
ROWS_A_BLOCK = 256  # rows that stay in the processor's cache


class FLD(NamedTuple):
    """The divergence, and the generalisation gap. Both have the unit 0.01 nats per feature.

    Attributes:
        fld: how much less likely test images are than under a model of real images (section 3.2).
            Lower is better, and 0 means as good as real images.
        gap: the mean negative log-likelihood of training images minus that of test images. A value
            far below 0 means that the model copies training images (section 4.2).
    """

    fld: float
    gap: float


def fld(*, train: Tensor, test: Tensor, generated: Tensor, baseline: float) -> FLD:
    """Compute FLD and the generalisation gap of generated images.

    The model of the density is a mixture of Gaussians, one around each generated image. The
    variances of the Gaussians are fitted to the training images. So the Gaussian around a copy of
    a training image becomes very narrow, and explains no test image.

    The score follows the authors' code (the package ``fld``), except for `LEAST_VARIANCE`. As in
    this code, features are first scaled to mean 0 and variance 1 over the test images.

    Args:
        train, test, generated: features, N x d, K x d and M x d, float32, on the CPU.
        baseline: the result of `fld_baseline`.
    """
    scaled = _scaled_like(test)
    train, test, generated = scaled(train), scaled(test), scaled(generated)
    variances = _fitted_log_variances(generated, train)
    of_train, of_test = (_nll(generated, variances, images) for images in (train, test))
    return FLD(fld=100 * (of_test - baseline), gap=100 * (of_train - of_test))


def fld_baseline(*, centres: Tensor, train: Tensor, test: Tensor) -> float:
    """Compute the negative log-likelihood of test images under a mixture around real images.

    ``centres``, M x d, and ``train``, N x d, are features of different training images. M should be
    the number of generated images in `fld`. The result is in nats per feature.
    """
    scaled = _scaled_like(test)
    centres, train, test = scaled(centres), scaled(train), scaled(test)
    return _nll(centres, _fitted_log_variances(centres, train), test)


class _Scaled:
    """A function that scales features to mean 0 and variance 1 over given features.

    A constant feature is only shifted.
    """

    def __init__(self, features: Tensor) -> None:
        deviation = features.std(dim=0)
        self._mean = features.mean(dim=0)
        self._deviation = torch.where(deviation > 0, deviation, 1)

    def __call__(self, features: Tensor) -> Tensor:
        return (features - self._mean) / self._deviation


_scaled_like = _Scaled


def _fitted_log_variances(centres: Tensor, images: Tensor) -> Tensor:
    """Fit the log variance of each centre's Gaussian to ``images`` by maximum likelihood: M.

    While fitting, the mixture also has a broad Gaussian around the mean of the images, which gives
    every image some density.
    """
    distances = squared_distances_to(centres)(images).clamp(min=0)
    d = centres.shape[1]
    to_mean = BACKGROUND**2 * (images - images.mean(dim=0)).square().sum(dim=1)
    log_variances = ((distances.amin(dim=0) + NEAR) / d).log()
    parameters = torch.cat([log_variances, torch.zeros(1)])  # the last one is the broad Gaussian's
    optimizer = torch.optim.Adam([parameters], lr=LEARNING_RATE)
    for _ in range(STEPS):
        parameters.grad = _gradient(parameters, distances, to_mean, d)
        optimizer.step()
        parameters[:-1].clamp_(min=math.log(LEAST_VARIANCE))
    return parameters[:-1]


def _gradient(parameters: Tensor, distances: Tensor, to_mean: Tensor, d: int) -> Tensor:
    """The gradient of the mean negative log-likelihood per feature, for all log variances: M + 1.

    With autograd, each step would store four matrices of the size of ``distances``.
    """
    precisions, constants = _coefficients(parameters, d)
    constants[:-1] -= math.log(distances.shape[1])
    share = torch.zeros_like(parameters)  # sums of the responsibilities
    spread = torch.zeros_like(parameters)  # sums of responsibility times squared distance
    for rows, far in zip(distances.split(ROWS_A_BLOCK), to_mean.split(ROWS_A_BLOCK), strict=True):
        squares = torch.cat([rows, far[:, None]], dim=1)
        weights = torch.addcmul(constants, squares, precisions, value=-0.5)
        weights.sub_(weights.amax(dim=1, keepdim=True)).exp_()
        weights.div_(weights.sum(dim=1, keepdim=True))
        share += weights.sum(dim=0)
        spread += weights.mul_(squares).sum(dim=0)
    return (d * share - precisions * spread) / (2 * d * len(distances))


def _coefficients(log_variances: Tensor, d: int) -> tuple[Tensor, Tensor]:
    """The precision of each Gaussian, and the logarithm of its normalising constant."""
    return (-log_variances).exp(), -d / 2 * (log_variances + math.log(2 * math.pi))


def _nll(centres: Tensor, log_variances: Tensor, images: Tensor) -> float:
    """The mean negative log-likelihood of images under the mixture, in nats per feature."""
    d = centres.shape[1]
    precisions, constants = _coefficients(log_variances, d)
    distances, total = squared_distances_to(centres), 0.0
    for rows in images.split(ROWS_A_BLOCK):
        squares = distances(rows).clamp_(min=0)
        logs = torch.addcmul(constants, squares, precisions, value=-0.5).logsumexp(dim=1)
        total += float(logs.double().sum())
    return (math.log(len(centres)) - total / len(images)) / d

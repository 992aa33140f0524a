"""Kernel distance between two sets of features (Binkowski et al., 1801.01401, section 4)."""

import warnings

import torch
from torch import Tensor, nn
from torchmetrics.image.kid import KernelInceptionDistance

from ganvae.core.seeds import global_seed

SUBSETS = 100
SUBSET_SIZE = 1000


class _Given(nn.Module):
    """Stands where torchmetrics expects an extractor: the features are already there."""

    def forward(self, features: Tensor) -> Tensor:
        return features


def kid(*, real: Tensor, generated: Tensor, seed: int) -> tuple[float, float]:
    """Mean and standard deviation, over 100 subsets, of the unbiased MMD^2 of two feature sets.

    The kernel is (a b / d + 1)^3; a subset has 1,000 images of each set, or all of the smaller
    one. Unlike FID it has no bias in N: equal distributions give 0 on average, and values below
    0 are noise.

    Args:
        real, generated: N x d and M x d.
    """
    size = min(SUBSET_SIZE, len(real), len(generated))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*will save all extracted features in buffer")
        metric = KernelInceptionDistance(feature=_Given(), subsets=SUBSETS, subset_size=size)
    metric.set_dtype(torch.float64)
    metric.update(real.double(), real=True)
    metric.update(generated.double(), real=False)
    with global_seed(seed, "kid"):  # torchmetrics draws by the global generator
        mean, deviation = metric.compute()
    return float(mean), float(deviation)

"""Kernel Inception Distance of two feature sets (Binkowski et al., 1801.01401, section 4)."""

import warnings

import torch
from torch import Tensor, nn
from torchmetrics.image.kid import KernelInceptionDistance

from ganvae.core.seeds import global_seed

SUBSETS = 100
SUBSET_SIZE = 1000


class _Features(nn.Module):
    """An identity module that replaces the feature extractor of torchmetrics."""

    def forward(self, features: Tensor) -> Tensor:
        return features


def kid(*, real: Tensor, generated: Tensor, seed: int) -> tuple[float, float]:
    """Return the mean and the standard deviation of KID over 100 random subsets.

    KID is an unbiased estimate of MMD^2 between two feature sets, with the kernel (a b / d + 1)^3.
    A subset has 1,000 images of each set, or as many as the smaller set has. Unlike FID, KID has no
    bias that depends on the number of images. Equal distributions give 0 on average, so values
    below 0 are noise.

    Args:
        real: the features of the real images, N x d.
        generated: the features of the generated images, M x d.
        seed: the random seed of the subsets.
    """
    size = min(SUBSET_SIZE, len(real), len(generated))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*will save all extracted features in buffer")
        metric = KernelInceptionDistance(feature=_Features(), subsets=SUBSETS, subset_size=size)
    metric.set_dtype(torch.float64)
    metric.update(real.double(), real=True)
    metric.update(generated.double(), real=False)
    with global_seed(seed, "kid"):  # torchmetrics uses the global generator
        mean, deviation = metric.compute()
    return float(mean), float(deviation)

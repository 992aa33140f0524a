"""Inception Score (Salimans et al., 1606.03498, section 4)."""

import warnings

from torch import Tensor, nn
from torchmetrics.image.inception import InceptionScore

from ganvae.core.seeds import global_seed


def inception_score(logits: Tensor, *, splits: int, seed: int) -> tuple[float, float]:
    """Mean and standard deviation of exp E KL(p(y|x) || p(y)) over ``splits`` random parts.

    The score lies between 1 and the number of classes. Sharp and varied samples score higher.

    Args:
        logits: N x classes, before the softmax, which torchmetrics applies.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*will save all extracted features in buffer")
        metric = InceptionScore(feature=nn.Identity(), splits=splits)
    metric.update(logits.double())
    with global_seed(seed, "inception score"):  # torchmetrics uses the global generator
        mean, deviation = metric.compute()
    return float(mean), float(deviation)

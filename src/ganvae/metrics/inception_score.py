"""Inception Score (Salimans et al., 1606.03498, section 4)."""

import warnings

from torch import Tensor, nn
from torchmetrics.image.inception import InceptionScore

from ganvae.core.seeds import global_seed


def inception_score(logits: Tensor, *, splits: int, seed: int) -> tuple[float, float]:
    """Return the mean and the standard deviation of the Inception Score over ``splits`` parts.

    The N samples are split at random into ``splits`` parts. The score of a part is
    exp E KL(p(y|x) || p(y)), between 1 and the number of classes. Samples score higher if the
    classifier is certain of their classes and if the classes vary.

    Args:
        logits: a classifier's outputs before the softmax, N x classes.
        splits: the number of parts.
        seed: the random seed of the parts.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*will save all extracted features in buffer")
        metric = InceptionScore(feature=nn.Identity(), splits=splits)
    metric.update(logits.double())
    with global_seed(seed, "inception score"):  # torchmetrics uses the global generator
        mean, deviation = metric.compute()
    return float(mean), float(deviation)

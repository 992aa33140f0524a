"""Memorisation: whether samples are nearer to the training set than held-out images are.

The method is from 2004.05675.
"""

from scipy.stats import mannwhitneyu
from torch import Tensor


def closer_to_train(*, generated: Tensor, held_out: Tensor) -> float:
    """The probability that a sample is nearer to the training set than a held-out image is.

    The score is the rank statistic of Meehan et al. (2004.05675, section 3), expressed as a
    probability. Ties count half. The value 0.5 means that samples and held-out images are equally
    near. The value 1 means that every sample is nearer than every held-out image. Blurred or plain
    images are near to many training images, so the score cannot tell such images from copies.

    Args:
        generated: the distance of each sample to its nearest training image, N.
        held_out: the distance of each held-out image to its nearest training image, M.
    """
    wins = mannwhitneyu(held_out.numpy(), generated.numpy(), method="asymptotic").statistic
    return float(wins) / (len(generated) * len(held_out))

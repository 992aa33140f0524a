"""Whether samples lie nearer to the training images than new images do (2004.05675)."""

from scipy.stats import mannwhitneyu
from torch import Tensor


def closer_to_train(*, generated: Tensor, held_out: Tensor) -> float:
    """How often a sample is nearer to its nearest training image than a held-out image to its own.

    The rank statistic of Meehan et al. (2004.05675, section 3) as a probability, ties counting
    half: 0.5 where samples are as near as new real images are, 1 where every one is nearer. It
    does not tell copies from images that are merely blurred or plain, which are near to many.

    Args:
        generated, held_out: distances to the nearest training image, N and M.
    """
    wins = mannwhitneyu(held_out.numpy(), generated.numpy(), method="asymptotic").statistic
    return float(wins) / (len(generated) * len(held_out))

"""Mode coverage: how samples spread over the known modes of a data set.

A judge (a classifier) counts the samples in each mode.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import entropy


def modes_covered(counts: Sequence[int]) -> int:
    """The number of modes with at least one sample (Metz et al., 1611.02163, section 3.3)."""
    return sum(count > 0 for count in counts)


def kl_from_even(counts: Sequence[int]) -> float:
    """KL divergence between the shares of the modes and equal shares, in nats.

    The score (Lin et al., 1712.04086, section 4.2) lies between 0 and log(number of modes). The
    maximum means that all samples are in one mode. N samples drawn evenly at random score
    (modes - 1) / 2N on average, so compare only scores with equal N.
    """
    return float(entropy(counts, np.full(len(counts), 1 / len(counts))))

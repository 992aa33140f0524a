"""How samples spread over the known modes of a data set, as a judge counts them."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import entropy


def modes_covered(counts: Sequence[int]) -> int:
    """How many modes at least one sample is put in (Metz et al., 1611.02163, section 3.3)."""
    return sum(count > 0 for count in counts)


def kl_from_even(counts: Sequence[int]) -> float:
    """KL divergence of the samples' shares of the modes from equal ones, in nats.

    (Lin et al., 1712.04086, section 4.2.) From 0 to the logarithm of the number of modes, where
    all samples are in one. N samples that are evenly spread by chance score (modes - 1) / 2N on
    average, so only scores of equal N compare.
    """
    return float(entropy(counts, np.full(len(counts), 1 / len(counts))))

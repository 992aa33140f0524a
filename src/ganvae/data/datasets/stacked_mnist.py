"""Stacked MNIST: images with a random digit in each of three channels, so 1,000 known modes.

The task is to count the modes that a generator draws (arXiv 1611.02163 and 1712.04086). These two
papers stack random digits of the whole data set. In this module, no digit is in two splits.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ganvae.config import DataConfig
from ganvae.data.datasets.mnist import DATASET as MNIST
from ganvae.data.datasets.mnist import FILES
from ganvae.data.idx import load_idx, refuse_conversion
from ganvae.data.source import Dataset, LabelledImages, Source

SHAPE = "3 x 28 x 28"
POOL = 100
"""The number of digits in a pool. The three digits of a stack come from the same pool."""
STREAM = 3
"""A number that separates the random stream of stacks from the random stream of splits.

Both random streams have the seed ``split_seed``.
"""


def load(config: DataConfig) -> Source:
    """Read MNIST's digits from the configured folder, and stack the digits at random.

    Training digits and test digits are stacked separately. The number of stacks equals the number
    of digits. The class of a stack is the number from 0 to 999 that the three digits form. The
    first channel's digit gives the hundreds. Each pool of training digits is a group, and no group
    is divided between splits. So the sizes of the splits are multiples of `POOL`.

    Raises:
        ConfigError: the configuration sets a size or a number of channels.
        DataError: one of MNIST's files is missing or differs from the published file.
    """
    refuse_conversion(config, SHAPE)
    digits = load_idx(FILES, Path(config.directory))
    random = np.random.default_rng([config.split_seed, STREAM])
    train = _stack(digits.train, random)
    test = _stack(digits.test, random) if digits.test is not None else None
    pools = np.arange(len(train)) // POOL
    return Source(train, test, tuple(f"{number:03d}" for number in range(1000)), pools)


def _stack(digits: LabelledImages, random: np.random.Generator) -> LabelledImages:
    """Divide the digits into pools, and stack each pool. Each channel uses every digit once."""
    pools = random.permutation(len(digits)).reshape(-1, POOL)
    by_channel = random.permuted(np.stack([pools] * 3, axis=1), axis=2)  # pools x 3 x POOL
    members: npt.NDArray[np.int64] = by_channel.transpose(0, 2, 1).reshape(-1, 3)
    images = digits.images[members, 0]
    labels = digits.labels[members] @ np.array([100, 10, 1])
    return LabelledImages(images, labels)


DATASET = Dataset(
    name="stacked-mnist",
    summary="60,000 + 10,000 stacks of three MNIST digits: 1,000 modes (Metz et al., 2017)",
    shape=SHAPE,
    layout="idx",
    directory=MNIST.directory,
    load=load,
    fetch=MNIST.fetch,
)

"""MNIST: grey images of handwritten digits, 28 x 28 (LeCun, Cortes and Burges, 1998).

The data set has 60,000 training images and 10,000 test images.
"""

from functools import partial

from ganvae.data.download import fetch_idx
from ganvae.data.idx import IdxFile, IdxFiles, load_published
from ganvae.data.source import Dataset

FILES = IdxFiles(
    dataset="mnist",
    classes=tuple("0123456789"),
    shape="1 x 28 x 28",
    train_images=IdxFile(
        "train-images-idx3-ubyte.gz",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    train_labels=IdxFile(
        "train-labels-idx1-ubyte.gz",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    test_images=IdxFile(
        "t10k-images-idx3-ubyte.gz",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    test_labels=IdxFile(
        "t10k-labels-idx1-ubyte.gz",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    ),
)

DATASET = Dataset(
    name="mnist",
    summary="60,000 + 10,000 handwritten digits (LeCun et al., 1998)",
    shape=FILES.shape,
    layout="idx",
    directory="data/raw/mnist",
    load=partial(load_published, FILES),
    fetch=partial(fetch_idx, FILES),
)

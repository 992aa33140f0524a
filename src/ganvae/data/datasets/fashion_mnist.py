"""Fashion-MNIST: images of clothing in MNIST's format (arXiv 1708.07747).

The data set has 60,000 training images and 10,000 test images.
"""

from functools import partial
from pathlib import Path

from ganvae.data.download import fetch_idx
from ganvae.data.idx import IdxFile, IdxFiles, load_published
from ganvae.data.source import Dataset

FILES = IdxFiles(
    dataset="fashion-mnist",
    classes=(
        "T-shirt",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle-boot",
    ),
    shape="1 x 28 x 28",
    train_images=IdxFile(
        "train-images-idx3-ubyte.gz",
        "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    ),
    train_labels=IdxFile(
        "train-labels-idx1-ubyte.gz",
        "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    ),
    test_images=IdxFile(
        "t10k-images-idx3-ubyte.gz",
        "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    ),
    test_labels=IdxFile(
        "t10k-labels-idx1-ubyte.gz",
        "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
    ),
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
    ),
    installed=Path("/usr/share/datasets/fashion-mnist"),
)

DATASET = Dataset(
    name="fashion-mnist",
    summary="60,000 + 10,000 articles of clothing (Xiao et al., 2017)",
    shape=FILES.shape,
    layout="idx",
    directory="data/raw/fashion-mnist",
    load=partial(load_published, FILES),
    fetch=partial(fetch_idx, FILES),
)

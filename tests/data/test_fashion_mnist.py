"""Fashion-MNIST: MNIST's file names with other contents."""

import numpy as np
import pytest

from conftest import ROOT
from ganvae.config import DataConfig
from ganvae.core.errors import ConfigError, DataError
from ganvae.data.datasets import fashion_mnist, mnist
from ganvae.data.splits import load_source

RAW = ROOT / "data/raw/fashion-mnist"


def config(directory: str, **options: int) -> DataConfig:
    sizes = {"train_size": None, "validation_size": 5000, "test_size": None, "split_seed": 0}
    about = {"dataset": "fashion-mnist", "layout": "idx", "directory": directory}
    return DataConfig.model_validate(about | sizes | options)


def test_its_files_are_called_like_mnists_and_none_has_the_same_bytes() -> None:
    pairs = list(zip(fashion_mnist.FILES, mnist.FILES, strict=True))
    assert all(fashion.name == digits.name for fashion, digits in pairs)
    assert not {fashion.sha256 for fashion, _ in pairs} & {digits.sha256 for _, digits in pairs}


def test_mnists_files_are_not_taken_for_it() -> None:
    message = (
        r"train-images-idx3-ubyte\.gz: expected sha256 b0564c3e.* \(a valid IDX file, but not "
    )
    with pytest.raises(DataError, match=message) as error:
        load_source(config(str(ROOT / "data/raw/mnist")))
    assert "`ganvae fetch fashion-mnist --directory " in str(error.value)


def test_its_images_are_taken_as_published() -> None:
    with pytest.raises(
        ConfigError, match=r"data\.size = 32: the images of fashion-mnist are 1 x 28"
    ):
        load_source(config(str(RAW), size=32))


def test_its_classes_can_be_names_of_folders() -> None:
    classes = fashion_mnist.FILES.classes
    assert len(set(classes)) == 10
    assert all(name.replace("-", "").isalpha() for name in classes)


@pytest.mark.skipif(not RAW.is_dir(), reason="its files are not in the repository")
def test_the_published_files_are_read() -> None:
    source = load_source(config(str(RAW)))
    assert source.train.images.shape == (60_000, 1, 28, 28)
    assert source.test is not None
    assert source.test.images.shape == (10_000, 1, 28, 28)
    assert np.bincount(source.train.labels).tolist() == [6000] * 10
    filled = {  # trousers and dresses leave most of the square empty, coats and pullovers do not
        name: (source.train.images[source.train.labels == label] > 0).mean()
        for label, name in enumerate(source.classes)
    }
    assert max(filled["Trouser"], filled["Sandal"]) < 0.4 < min(filled["Coat"], filled["Pullover"])

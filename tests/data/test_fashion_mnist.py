"""Fashion-MNIST, whose files have the same names as MNIST's and other contents."""

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


def test_files_have_mnists_names_but_other_checksums() -> None:
    pairs = list(zip(fashion_mnist.FILES, mnist.FILES, strict=True))
    assert all(fashion.name == digits.name for fashion, digits in pairs)
    assert not {fashion.sha256 for fashion, _ in pairs} & {digits.sha256 for _, digits in pairs}


def test_mnists_files_are_refused() -> None:
    message = r"train-images-idx3-ubyte\.gz has SHA-256 .*b0564c3e.* \(a valid IDX file, but not "
    with pytest.raises(DataError, match=message) as error:
        load_source(config(str(ROOT / "data/raw/mnist")))
    assert "`ganvae fetch fashion-mnist --directory " in str(error.value)


def test_resizing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"data\.size is 32, but .* fashion-mnist .*1 x 28"):
        load_source(config(str(RAW), size=32))


def test_classes_are_valid_folder_names() -> None:
    classes = fashion_mnist.FILES.classes
    assert len(set(classes)) == 10
    assert all(name.replace("-", "").isalpha() for name in classes)


@pytest.mark.skipif(not RAW.is_dir(), reason="the files of Fashion-MNIST are missing")
def test_the_published_files_are_read() -> None:
    source = load_source(config(str(RAW)))
    assert source.train.images.shape == (60_000, 1, 28, 28)
    assert source.test is not None
    assert source.test.images.shape == (10_000, 1, 28, 28)
    assert np.bincount(source.train.labels).tolist() == [6000] * 10
    filled = {  # trousers and sandals leave most of the square empty, coats and pullovers fill it
        name: (source.train.images[source.train.labels == label] > 0).mean()
        for label, name in enumerate(source.classes)
    }
    assert max(filled["Trouser"], filled["Sandal"]) < 0.4 < min(filled["Coat"], filled["Pullover"])

"""Stacked MNIST: the stacks and their classes, and splits that share no digit."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT
from ganvae.config import DataConfig
from ganvae.core.errors import ConfigError, DataError
from ganvae.data.datasets.mnist import FILES
from ganvae.data.idx import load_idx
from ganvae.data.source import Source
from ganvae.data.splits import load_source, make_splits

RAW = ROOT / "data/raw/mnist"


def config(**options: object) -> DataConfig:
    sizes = {"train_size": None, "validation_size": 5000, "test_size": None, "split_seed": 0}
    about = {"dataset": "stacked-mnist", "layout": "idx", "directory": str(RAW)}
    return DataConfig.model_validate(about | sizes | options)


@pytest.fixture(scope="module")
def source() -> Source:
    return load_source(config())


@pytest.fixture(scope="module")
def digits() -> Source:
    return load_idx(FILES, RAW)


def pictures(images: np.ndarray) -> list[bytes]:
    """Bytes of images, N x 28 x 28, as keys. All images of MNIST differ."""
    return [image.tobytes() for image in images]


@pytest.mark.parametrize("name", ["train", "test"])
def test_each_digit_is_once_in_each_channel_and_labels_match(
    source: Source, digits: Source, name: str
) -> None:
    stacks, singles = getattr(source, name), getattr(digits, name)
    label = dict(zip(pictures(singles.images[:, 0]), singles.labels, strict=True))
    assert stacks.images.shape == (len(singles), 3, 28, 28)
    for channel, place in enumerate((100, 10, 1)):
        keys = pictures(stacks.images[:, channel])
        assert set(keys) == set(label)
        assert [label[key] for key in keys] == (stacks.labels // place % 10).tolist()


def test_all_1000_classes_are_in_both_sets(source: Source) -> None:
    assert source.classes[7] == "007"
    assert (len(source.classes), source.classes[-1]) == (1000, "999")
    assert source.test is not None
    for data in (source.train, source.test):
        counts = np.bincount(data.labels, minlength=1000)
        assert (counts > 0).all()
        assert counts.max() < 3 * len(data) / 1000


def test_the_stacks_of_a_pool_use_its_100_digits(source: Source) -> None:
    assert source.groups is not None
    assert Counter(Counter(source.groups.tolist()).values()) == {100: 600}
    pool = source.train.images[source.groups == 17]
    first, second, third = (set(pictures(pool[:, channel])) for channel in range(3))
    assert first == second == third
    assert len(first) == 100


@pytest.mark.parametrize("seed", [0, 1])
def test_no_digit_is_in_two_splits(seed: int) -> None:
    settings = config(split_seed=seed, train_size=20_000)
    splits = make_splits(load_source(settings), settings)
    assert {name: len(split.index) for name, split in splits.items()} == {
        "train": 20_000,
        "validation": 5000,
        "test": 10_000,
    }
    seen = [set(pictures(split.data.images.reshape(-1, 28, 28))) for split in splits.values()]
    assert [len(digits) for digits in seen] == [20_000, 5000, 10_000]
    assert len(set.union(*seen)) == 35_000


def test_a_size_that_would_divide_a_pool_is_refused_with_advice(source: Source) -> None:
    for key in ("train_size", "validation_size"):
        message = rf"data\.{key} is 1050, .* Whole groups reach 1000 images. Give this"
        with pytest.raises(ConfigError, match=message):
            make_splits(source, config(**{key: 1050}))
        make_splits(source, config(**{key: 1000}))
    with pytest.raises(ConfigError, match=r"data\.train_size is 50, .* reach 100 images"):
        make_splits(source, config(train_size=50))


def test_the_seed_decides_the_stacks_reproducibly(source: Source) -> None:
    other = load_source(config(split_seed=1))
    assert not np.array_equal(other.train.labels, source.train.labels)
    again = load_source(config(train_size=100))
    assert np.array_equal(again.train.images, source.train.images)
    checksum = hashlib.sha256(source.train.images[:100].tobytes()).hexdigest()
    assert checksum == "4df05952c3bb6523e41648d930d5a7d1f79271125bd863d21784871b7d317470"


@pytest.mark.parametrize("option", [{"size": 32}, {"channels": 3}])
def test_resizing_and_recolouring_are_refused(option: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"of stacked-mnist .* published shape, 3 x 28 x 28\."):
        load_source(config(**option))


def test_missing_mnist_files_are_reported(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"is missing .* Get it with `ganvae fetch mnist --directory"
    ):
        load_source(config(directory=str(tmp_path)))

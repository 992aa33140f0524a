"""Stacked MNIST: what a stack is, and that no digit is in two splits."""

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
    """Images, N x 28 x 28, as keys; no two of MNIST's are the same."""
    return [image.tobytes() for image in images]


@pytest.mark.parametrize("name", ["train", "test"])
def test_each_digit_is_once_in_each_channel_and_its_label_in_its_place(
    source: Source, digits: Source, name: str
) -> None:
    stacks, singles = getattr(source, name), getattr(digits, name)
    label = dict(zip(pictures(singles.images[:, 0]), singles.labels, strict=True))
    assert stacks.images.shape == (len(singles), 3, 28, 28)
    for channel, place in enumerate((100, 10, 1)):
        found = pictures(stacks.images[:, channel])
        assert set(found) == set(label)
        assert [label[picture] for picture in found] == (stacks.labels // place % 10).tolist()


def test_there_are_a_thousand_classes_each_of_them_in_both_sets(source: Source) -> None:
    assert source.classes[7] == "007"
    assert (len(source.classes), source.classes[-1]) == (1000, "999")
    assert source.test is not None
    for data in (source.train, source.test):
        counts = np.bincount(data.labels, minlength=1000)
        assert (counts > 0).all()
        assert counts.max() < 3 * len(data) / 1000


def test_stacks_of_a_pool_are_of_its_hundred_digits(source: Source) -> None:
    assert source.groups is not None
    assert Counter(Counter(source.groups.tolist()).values()) == {100: 600}
    pool = source.train.images[source.groups == 17]
    first, second, third = (set(pictures(pool[:, channel])) for channel in range(3))
    assert first == second == third
    assert len(first) == 100


@pytest.mark.parametrize("seed", [0, 1])
def test_no_digit_is_in_two_splits(seed: int) -> None:
    wanted = config(split_seed=seed, train_size=20_000)
    splits = make_splits(load_source(wanted), wanted)
    assert {name: len(split.index) for name, split in splits.items()} == {
        "train": 20_000,
        "validation": 5000,
        "test": 10_000,
    }
    seen = [set(pictures(split.data.images.reshape(-1, 28, 28))) for split in splits.values()]
    assert [len(one) for one in seen] == [20_000, 5000, 10_000]
    assert len(set.union(*seen)) == 35_000


def test_a_size_that_would_divide_a_pool_is_refused_with_one_that_does_not(source: Source) -> None:
    for key in ("train_size", "validation_size"):
        message = rf"data\.{key} = 1050: .* whole groups of them come to 1000: give that number"
        with pytest.raises(ConfigError, match=message):
            make_splits(source, config(**{key: 1050}))
        make_splits(source, config(**{key: 1000}))
    with pytest.raises(ConfigError, match=r"data\.train_size = 50: .* come to 100: give that"):
        make_splits(source, config(train_size=50))


def test_the_seed_decides_and_the_stacks_are_always_the_same(source: Source) -> None:
    other = load_source(config(split_seed=1))
    assert not np.array_equal(other.train.labels, source.train.labels)
    again = load_source(config(train_size=100))
    assert np.array_equal(again.train.images, source.train.images)
    checksum = hashlib.sha256(source.train.images[:100].tobytes()).hexdigest()
    assert checksum == "4df05952c3bb6523e41648d930d5a7d1f79271125bd863d21784871b7d317470"


@pytest.mark.parametrize("option", [{"size": 32}, {"channels": 3}])
def test_its_images_are_neither_resized_nor_recoloured(option: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"the images of stacked-mnist are 3 x 28 x 28 as publ"):
        load_source(config(**option))


def test_it_says_that_mnist_is_missing(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"found none\. Get it with `ganvae fetch mnist --directory"
    ):
        load_source(config(directory=str(tmp_path)))

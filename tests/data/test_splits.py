"""Splits, their files and the per-class folders."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import ROOT
from ganvae.config import DataConfig
from ganvae.core.errors import ConfigError
from ganvae.core.files import sha256
from ganvae.data.by_class import write_by_class
from ganvae.data.source import LabelledImages, Source
from ganvae.data.splits import SPLITS, load_source, make_splits, reachable_sizes, resplit
from ganvae.data.store import StoredSplit, read_split, write_split

MNIST = DataConfig(
    dataset="mnist",
    layout="idx",
    directory=str(ROOT / "data/raw/mnist"),
    train_size=None,
    validation_size=5000,
    test_size=None,
    split_seed=0,
)


@pytest.fixture(scope="module")
def source() -> Source:
    return load_source(MNIST)


def config(**changes: object) -> DataConfig:
    return DataConfig.model_validate(MNIST.model_dump() | changes)


def test_pin_4_splits_are_disjoint_and_complete(source: Source) -> None:
    splits = make_splits(source, MNIST)
    assert [len(splits[name].index) for name in SPLITS] == [55_000, 5_000, 10_000]
    together = np.concatenate([splits["train"].index, splits["validation"].index])
    assert np.array_equal(np.sort(together), np.arange(60_000))
    assert splits["train"].official_set == splits["validation"].official_set == "train"
    assert splits["test"].official_set == "test"


def test_images_and_labels_match_their_index(source: Source) -> None:
    for name, split in make_splits(source, config(train_size=100)).items():
        official = source.test if name == "test" else source.train
        assert official is not None
        assert np.array_equal(split.data.images, official.images[split.index])
        assert np.array_equal(split.data.labels, official.labels[split.index])


def test_validation_keeps_the_proportions_of_classes(source: Source) -> None:
    labels = make_splits(source, MNIST)["validation"].data.labels
    expected = np.bincount(source.train.labels) * 5000 / 60_000
    assert np.abs(np.bincount(labels) - expected).max() < 1


def test_pin_4_a_small_training_set_leaves_validation_as_it_is(source: Source) -> None:
    splits = make_splits(source, config(train_size=7781))
    labels = splits["train"].data.labels
    assert len(labels) == 7781
    expected = np.bincount(source.train.labels) * 7781 / 60_000
    assert np.abs(np.bincount(labels) - expected).max() < 1
    whole = make_splits(source, MNIST)
    assert np.array_equal(splits["validation"].index, whole["validation"].index)
    assert not set(splits["train"].index) & set(splits["validation"].index)


def test_the_seed_decides_the_splits(source: Source) -> None:
    again = make_splits(source, MNIST)["validation"].index
    other = make_splits(source, config(split_seed=1))["validation"].index
    assert np.array_equal(again, make_splits(source, MNIST)["validation"].index)
    assert not np.array_equal(again, other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_size": 56_000}, "data.train_size is 56000, but only 55000 images are left"),
        ({"validation_size": 60_001}, "data.validation_size is 60001, but only 60000"),
        ({"validation_size": 3}, "data.validation_size is 3, but no split of this size"),
        (
            {"validation_size": 60_000},
            "data.validation_size is 60000, which leaves no image",
        ),
        ({"dataset": "minst"}, "'minst' is unknown"),
    ],
)
def test_impossible_sizes_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_splits(load_source(config(**changes)), config(**changes))


@pytest.fixture
def stored(tmp_path: Path, source: Source) -> Iterator[dict[str, StoredSplit]]:
    splits = make_splits(source, config(train_size=200, validation_size=50, test_size=50))
    for name, split in splits.items():
        write_split(tmp_path / f"{name}.safetensors", name, split, "mnist", source.classes)
    yield {name: read_split(tmp_path / f"{name}.safetensors") for name in SPLITS}


def test_a_split_file_is_complete_and_reproducible(
    tmp_path: Path, source: Source, stored: dict[str, StoredSplit]
) -> None:
    splits = make_splits(source, config(train_size=200, validation_size=50, test_size=50))
    train = stored["train"]
    assert np.array_equal(train.images.numpy(), splits["train"].data.images)
    assert (train.dataset, train.split, train.official_set) == ("mnist", "train", "train")
    assert train.images.shape == (200, 1, 28, 28)
    write_split(tmp_path / "again", "train", splits["train"], "mnist", source.classes)
    assert sha256(tmp_path / "again") == sha256(tmp_path / "train.safetensors")


def test_written_class_folders_can_be_read(tmp_path: Path, stored: dict[str, StoredSplit]) -> None:
    write_by_class(tmp_path / "by_class", list(stored.values()), per_class=3)
    first = stored["test"].images[stored["test"].labels == 7][0, 0]
    index = int(stored["test"].index[stored["test"].labels == 7][0])
    with Image.open(tmp_path / f"by_class/test/7/{index:05d}.png") as image:
        assert np.array_equal(np.asarray(image), first.numpy())
    source = load_source(config(layout="folders", directory=str(tmp_path / "by_class")))
    assert source.classes == tuple("0123456789")
    assert np.bincount(source.train.labels).tolist() == [3] * 10
    assert source.test is not None
    assert source.test.images.shape == (30, 1, 28, 28)


def test_a_class_without_images_has_no_folder(
    tmp_path: Path, stored: dict[str, StoredSplit]
) -> None:
    train = stored["train"]
    members = (train.labels == 2) | (train.labels == 7)
    few = replace(train, images=train.images[members], labels=train.labels[members])
    write_by_class(tmp_path / "by_class", [few, stored["test"]], per_class=1)
    assert sorted(path.name for path in (tmp_path / "by_class/train").iterdir()) == ["2", "7"]
    assert len(list((tmp_path / "by_class/test").iterdir())) == 10


def test_pin_4_flat_class_folders_need_a_test_size(
    tmp_path: Path, stored: dict[str, StoredSplit]
) -> None:
    write_by_class(tmp_path / "by_class", [stored["train"]], per_class=None)
    folders = {"layout": "folders", "directory": str(tmp_path / "by_class/train")}
    folders["dataset"] = "my-digits"  # folders may have any name
    sizes = {"validation_size": 20, "test_size": 30}
    splits = make_splits(load_source(config(**folders)), config(**folders, **sizes))
    indices = [set(splits[name].index.tolist()) for name in SPLITS]
    assert [len(index) for index in indices] == [150, 20, 30]
    assert len(set.union(*indices)) == 200
    with pytest.raises(ConfigError, match=r"data\.test_size is null, .* Give a number"):
        make_splits(load_source(config(**folders)), config(**folders, validation_size=20))


def test_labels_are_int64_for_torch(stored: dict[str, StoredSplit]) -> None:
    assert stored["train"].labels.dtype == torch.int64


def test_pin_4_a_source_without_test_set_draws_it_apart() -> None:
    data = LabelledImages(np.zeros((40, 1, 2, 2), np.uint8), np.arange(40) % 2)
    settings = config(validation_size=10, test_size=10, train_size=10)
    splits = make_splits(Source(data, None, ("a", "b")), settings)
    indices = [set(splits[name].index.tolist()) for name in SPLITS]
    assert [len(index) for index in indices] == [10, 10, 10]
    assert len(set.union(*indices)) == 30


@pytest.mark.parametrize("grouped", [False, True], ids=["by class", "by group"])
def test_other_splits_never_contain_a_test_image(source: Source, grouped: bool) -> None:
    part = source.train[np.arange(3000)]
    groups = np.arange(3000) // 7 if grouped else None
    own = Source(part, None, classes=source.classes, groups=groups)
    settings = reachable_sizes(own, config(test_size=700, validation_size=350))
    splits = make_splits(own, settings)
    held_out = len(splits["validation"].index)
    test = {*splits["test"].index.tolist()}
    seen = []
    for seed in (1, 2):
        train, validation = resplit(own, settings, seed)
        indices = [{*split.index.tolist()} for split in (train, validation)]
        assert not test & (indices[0] | indices[1])
        assert not indices[0] & indices[1]
        assert len(indices[0] | indices[1]) == 3000 - len(test)
        assert held_out - 7 < len(indices[1]) <= held_out
        if grouped:
            assert not {i // 7 for i in indices[0]} & {i // 7 for i in indices[1]}
        seen.append(indices[1])
    assert seen[0] != seen[1] != {*splits["validation"].index.tolist()}

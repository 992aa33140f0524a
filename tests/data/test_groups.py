"""Images of one group stay in one split."""

import re
from pathlib import Path

import numpy as np
import pytest

from ganvae.config import DataConfig
from ganvae.core.errors import ConfigError
from ganvae.data.source import LabelledImages, Source
from ganvae.data.splits import SPLITS, load_source, make_splits, reachable_sizes
from toy_faces import write_lfw

COUNTS = {
    "mixed": np.random.default_rng(0).integers(1, 9, 60),
    "one large": np.array([150] + [1] * 40 + [2] * 20 + [5] * 5),
    "equal": np.full(40, 5),
}


def grouped(counts: np.ndarray) -> Source:
    """Groups of these sizes, in random order. The pixel of an image is its index, modulo 256."""
    groups = np.random.default_rng(1).permutation(np.repeat(np.arange(len(counts)), counts))
    images = np.arange(len(groups), dtype=np.uint8).reshape(-1, 1, 1, 1)
    return Source(LabelledImages(images, groups), None, tuple(map(str, groups)), groups)


def config(directory: str = "", **changes: object) -> DataConfig:
    values: dict[str, object] = {
        "dataset": "lfw",
        "layout": "people",
        "directory": directory,
        "train_size": None,
        "validation_size": 20,
        "test_size": 30,
        "split_seed": 0,
    }
    return DataConfig.model_validate(values | changes)


@pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS)
@pytest.mark.parametrize("seed", range(8))
def test_pin_4_no_group_is_in_two_splits(counts: np.ndarray, seed: int) -> None:
    source = grouped(counts)
    assert source.groups is not None
    settings = reachable_sizes(source, config(split_seed=seed))
    splits = make_splits(source, settings)
    groups = [set(source.groups[splits[name].index].tolist()) for name in SPLITS]
    assert len(set.union(*groups)) == sum(len(group) for group in groups) == len(counts)
    indices = np.concatenate([splits[name].index for name in SPLITS])
    assert np.array_equal(np.sort(indices), np.arange(len(source.train)))
    assert len(splits["validation"].index) == settings.validation_size
    assert len(splits["test"].index) == settings.test_size


def test_the_seed_decides_which_groups_are_drawn() -> None:
    source = grouped(COUNTS["equal"])
    settings = [config(validation_size=25, split_seed=seed) for seed in (0, 0, 1)]
    first, again, other = (make_splits(source, one_config)["test"].index for one_config in settings)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_group_larger_than_the_draw_stays_in_training() -> None:
    source = grouped(COUNTS["one large"])
    assert source.groups is not None
    for seed in range(8):
        splits = make_splits(source, reachable_sizes(source, config(split_seed=seed)))
        assert 0 in source.groups[splits["train"].index]


def test_small_and_large_groups_are_drawn_in_proportion() -> None:
    counts = np.repeat([1, 10], [300, 30])
    source = grouped(counts)
    assert source.groups is not None
    splits = make_splits(source, config(validation_size=100, test_size=200))
    for name, size in (("validation", 100), ("test", 200)):
        in_small_groups = (source.groups[splits[name].index] < 300).sum()
        assert abs(in_small_groups - size / 2) <= 10


@pytest.mark.parametrize("key", ["test_size", "validation_size", "train_size"])
@pytest.mark.parametrize("size", [1, 3, 28, 99])
def test_an_unreachable_size_is_refused_with_a_reachable_size(key: str, size: int) -> None:
    source = grouped(COUNTS["equal"])
    sizes = {"test_size": 30, "validation_size": 20, "train_size": None, key: size}
    with pytest.raises(ConfigError, match=rf"data\.{key} is {size}, .* reach \d+ images") as error:
        make_splits(source, config(**sizes))
    suggestion = re.search(r"reach (\d+)", str(error.value))
    assert suggestion
    size = int(suggestion[1])
    splits = make_splits(source, config(**sizes | {key: size}))
    assert len(splits[key.removesuffix("_size")].index) == size


def test_photos_of_one_person_stay_in_one_split(tmp_path: Path) -> None:
    write_lfw(tmp_path / "lfw.tgz", {f"Person_{number}": number % 4 + 1 for number in range(24)})
    for seed in range(3):
        settings = config(str(tmp_path), test_size=15, validation_size=10, split_seed=seed)
        source = load_source(settings)
        splits = make_splits(source, reachable_sizes(source, settings))
        people = [set(splits[name].data.labels.tolist()) for name in SPLITS]
        assert len(set.union(*people)) == sum(len(names) for names in people) == 24

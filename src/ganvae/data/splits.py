"""Train, validation and test, disjoint and with the classes in proportion."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from ganvae.config import DataConfig
from ganvae.core.errors import ConfigError
from ganvae.data.registry import get_dataset
from ganvae.data.source import LabelledImages, Source

Index = npt.NDArray[np.int64]
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """One split: its images and each one's index in the official set that it was drawn from."""

    data: LabelledImages
    index: Index
    official_set: str


def load_source(config: DataConfig) -> Source:
    """Read the configured data set; one read from class folders may have any name.

    Raises:
        ConfigError: an unknown data set, or one whose files lie otherwise.
    """
    dataset = get_dataset("folders" if config.layout == "folders" else config.dataset)
    if config.layout != dataset.layout:
        raise ConfigError(
            f"data.layout = {config.layout!r}: {dataset.name} is read as {dataset.layout!r}, "
            "or from class folders ('folders')."
        )
    return dataset.load(config)


def make_splits(source: Source, config: DataConfig) -> dict[str, Split]:
    """Draw the splits: the same ones for the same source, sizes and ``split_seed``.

    The classes keep their proportions; where the source has groups these are kept together
    instead.

    Validation is drawn first, from the official training set, then train from what is left, so
    a smaller ``train_size`` never changes the validation set. Test is the official test set or
    a stratified part of it; where there is no official one it is drawn before the others.

    Raises:
        ConfigError: a size that cannot be met.
    """
    draw = partial(_draw, source.train.labels, source.groups, config.split_seed)
    pool = np.arange(len(source.train))
    if source.test is None:
        if config.test_size is None:
            raise ConfigError("data.test_size = None: this source has no test set, give a number.")
        test, pool = draw(pool, config.test_size, "data.test_size")
        test_split = Split(source.train[test], test, "train")
    else:
        test = np.arange(len(source.test))
        each_by_itself = None if source.groups is None else test
        drawn_from = source.test.labels, each_by_itself, config.split_seed
        test, _ = _draw(*drawn_from, test, config.test_size, "data.test_size")
        test_split = Split(source.test[test], test, "test")
    validation, pool = draw(pool, config.validation_size, "data.validation_size")
    if not len(pool):
        raise ConfigError(
            f"data.validation_size = {config.validation_size}: no image is left to train on."
        )
    train, _ = draw(pool, config.train_size, "data.train_size")
    return {
        "train": Split(source.train[train], train, "train"),
        "validation": Split(source.train[validation], validation, "train"),
        "test": test_split,
    }


def reachable_sizes(source: Source, config: DataConfig) -> DataConfig:
    """The same with validation and test sizes that whole groups give, if the source has groups.

    Each is the next smaller one that there is, or one group's where there is none.
    """
    if source.groups is None:
        return config
    pool = np.arange(len(source.train))
    held_out = ["validation_size"] if source.test is not None else ["test_size", "validation_size"]
    sizes = {}
    for key in held_out:
        sizes[key] = _reachable_size(source.groups[pool], getattr(config, key), config.split_seed)
        _, pool = _draw_groups(pool, source.groups, sizes[key], config.split_seed, f"data.{key}")
    return config.model_copy(update=sizes)


def _draw(
    labels: Index, groups: Index | None, seed: int, pool: Index, size: int | None, key: str
) -> tuple[Index, Index]:
    """Split ``pool`` into a draw of ``size`` (None: all) and the rest, both sorted."""
    if size is None or size == len(pool):
        return pool, pool[:0]
    if size > len(pool):
        raise ConfigError(f"{key} = {size}: only {len(pool)} images are left to draw from.")
    if groups is not None:
        return _draw_groups(pool, groups, size, seed, key)
    return _draw_by_class(pool, labels, size, seed, key)


def _draw_by_class(
    pool: Index, labels: Index, size: int, seed: int, key: str
) -> tuple[Index, Index]:
    """Draw ``size`` images, the classes in proportion."""
    from sklearn.model_selection import train_test_split  # not needed on a training machine

    try:
        drawn, rest = train_test_split(
            pool, train_size=size, stratify=labels[pool], random_state=seed
        )
    except ValueError as error:
        raise ConfigError(f"{key} = {size}: cannot be drawn by class ({error})") from None
    return np.sort(drawn), np.sort(rest)


def _draw_groups(pool: Index, groups: Index, size: int, seed: int, key: str) -> tuple[Index, Index]:
    """Draw whole groups that have ``size`` images together."""
    inside = _whole_groups(groups[pool], size, seed)
    if inside.sum() != size:
        raise ConfigError(
            f"{key} = {size}: images that belong together are not divided, and whole groups of "
            f"them come to {_reachable_size(groups[pool], size, seed)}: give that number."
        )
    return pool[inside], pool[~inside]


def _whole_groups(groups: Index, size: int, seed: int) -> npt.NDArray[np.bool_]:
    """Which images are in the groups drawn, that have at most ``size`` together.

    The groups are gone through from the largest on, those of one size in random order, and one is
    taken where what is taken then has at most its share, ``size`` of all images, of all that have
    been gone through. So large and small groups are drawn in proportion, and a group larger than
    the draw has room for is left to the rest.
    """
    names, counts = np.unique(groups, return_counts=True)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    order = shuffled[np.argsort(-counts[shuffled], kind="stable")]
    taken, seen, drawn = 0, 0, []
    for group in order:
        seen += counts[group]
        if (taken + counts[group]) * len(groups) <= size * seen:
            taken += counts[group]
            drawn.append(names[group])
    return np.isin(groups, drawn)


def _reachable_size(groups: Index, size: int, seed: int) -> int:
    """The next number, going down from ``size``, that whole groups give; at least one group's."""
    while (drawn := int(_whole_groups(groups, size, seed).sum())) not in (0, size):
        size = drawn
    return drawn or int(np.unique(groups, return_counts=True)[1].min())

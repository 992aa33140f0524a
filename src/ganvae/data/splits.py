"""Disjoint training, validation and test splits. Splits are stratified or have whole groups.

A group is a set of images that must stay in one split, for example all photos of one person.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from ganvae.config import DataConfig
from ganvae.core.errors import ConfigError, DataError
from ganvae.data.registry import get_dataset
from ganvae.data.source import LabelledImages, Source

Index = npt.NDArray[np.int64]
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """One split. ``index`` has the position of each image in the official set ``official_set``."""

    data: LabelledImages
    index: Index
    official_set: str


def load_source(config: DataConfig) -> Source:
    """Read the configured data set. A data set with ``layout: folders`` may have any name.

    Raises:
        ConfigError: the data set is unknown, or does not have the configured layout.
        DataError: a file is missing, unreadable or damaged.
    """
    dataset = get_dataset("folders" if config.layout == "folders" else config.dataset)
    if config.layout != dataset.layout:
        raise ConfigError(
            f"data.layout is {config.layout!r}, but {dataset.name} needs {dataset.layout!r}, or "
            "'folders' if its images are in class folders."
        )
    try:
        return dataset.load(config)
    except OSError as error:
        raise DataError(
            f"{error.filename or config.directory} cannot be read ({error.strerror}). Check its "
            "permissions."
        ) from None


def make_splits(source: Source, config: DataConfig) -> dict[str, Split]:
    """Draw the splits ``train``, ``validation`` and ``test`` with the random seed ``split_seed``.

    The classes keep their proportions in each split. If the source has groups, each group stays in
    one split instead, and class proportions may differ.

    The validation split is drawn from the official training set. The training split is drawn from
    the remaining images. So a smaller ``train_size`` never changes the validation split. The test
    split is the official test set, or a stratified part of the official test set. Without an
    official test set, the test split is drawn first, from all images.

    Raises:
        ConfigError: the images or groups cannot give a split of a configured size.
    """
    draw = partial(_draw, source.train.labels, source.groups, config.split_seed)
    pool = np.arange(len(source.train))
    if source.test is None:
        if config.test_size is None:
            raise ConfigError(
                "data.test_size is null, but this data set has no official test set. Give a number."
            )
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
            f"data.validation_size is {config.validation_size}, which leaves no image to train "
            "on. Give a smaller number."
        )
    train, _ = draw(pool, config.train_size, "data.train_size")
    return {
        "train": Split(source.train[train], train, "train"),
        "validation": Split(source.train[validation], validation, "train"),
        "test": test_split,
    }


def resplit(source: Source, config: DataConfig, seed: int) -> tuple[Split, Split]:
    """Divide the training and validation images of `make_splits` anew, with the seed ``seed``.

    No image of the test split gets into either. The validation split keeps its size. With groups,
    it has the largest size, at most this one, that whole groups reach.

    Returns:
        The training split and the validation split.
    """
    splits = make_splits(source, config)
    pool = np.sort(np.concatenate([splits[name].index for name in ("train", "validation")]))
    size, groups = len(splits["validation"].index), source.groups
    if groups is not None:
        size = _reachable_size(groups[pool], size, seed)
    validation, train = _draw(source.train.labels, groups, seed, pool, size, "data.validation_size")
    return Split(source.train[train], train, "train"), Split(
        source.train[validation], validation, "train"
    )


def reachable_sizes(source: Source, config: DataConfig) -> DataConfig:
    """Return the configuration with sizes of held-out splits that whole groups reach exactly.

    The validation size becomes a size that whole groups reach, at most the configured size. If no
    group fits, the size becomes the size of the smallest group. Without an official test set, the
    test size changes in the same way. A source without groups needs no change.
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
    """Draw ``size`` images from ``pool``, or all images if ``size`` is None.

    Returns:
        The sorted indices of the drawn images, and the sorted indices of the other images.
    """
    if size is None or size == len(pool):
        return pool, pool[:0]
    if size > len(pool):
        raise ConfigError(
            f"{key} is {size}, but only {len(pool)} images are left to draw from. Give at most "
            "this number."
        )
    if groups is not None:
        return _draw_groups(pool, groups, size, seed, key)
    return _draw_by_class(pool, labels, size, seed, key)


def _draw_by_class(
    pool: Index, labels: Index, size: int, seed: int, key: str
) -> tuple[Index, Index]:
    """Draw ``size`` images in the class proportions of ``pool``. Return drawn and other images."""
    from sklearn.model_selection import train_test_split  # not needed on a training machine

    try:
        drawn, rest = train_test_split(
            pool, train_size=size, stratify=labels[pool], random_state=seed
        )
    except ValueError as error:
        raise ConfigError(
            f"{key} is {size}, but no split of this size keeps the class proportions ({error})."
        ) from None
    return np.sort(drawn), np.sort(rest)


def _draw_groups(pool: Index, groups: Index, size: int, seed: int, key: str) -> tuple[Index, Index]:
    """Draw whole groups with ``size`` images in total. Return drawn and other images."""
    inside = _whole_groups(groups[pool], size, seed)
    if inside.sum() != size:
        raise ConfigError(
            f"{key} is {size}, but a split must consist of whole groups of images. Whole groups "
            f"reach {_reachable_size(groups[pool], size, seed)} images. Give this number."
        )
    return pool[inside], pool[~inside]


def _whole_groups(groups: Index, size: int, seed: int) -> npt.NDArray[np.bool_]:
    """Draw whole groups with at most ``size`` images in total. Return a mask of the drawn images.

    The groups are visited from the largest to the smallest. Groups of equal size are visited in
    random order. A group is drawn if, after the draw, the number of drawn images is at most
    ``size / len(groups)`` times the number of visited images. The visited images include the images
    of this group. So the draw takes large groups and small groups in the same proportion. A group
    with more than ``size`` images is never drawn.
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
    """Find a number of images, at most ``size``, that a draw of whole groups reaches exactly.

    If no group fits, return the size of the smallest group.
    """
    while (drawn := int(_whole_groups(groups, size, seed).sum())) not in (0, size):
        size = drawn
    return drawn or int(np.unique(groups, return_counts=True)[1].min())

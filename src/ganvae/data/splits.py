"""Train, validation and test, disjoint and with the classes in proportion."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ganvae.config import DataConfig
from ganvae.data.folders import load_folders
from ganvae.data.registry import get_dataset
from ganvae.data.source import LabelledImages, Source
from ganvae.errors import ConfigError

Index = npt.NDArray[np.int64]
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """One split: its images and each one's index in the official set that it was drawn from."""

    data: LabelledImages
    index: Index
    official_set: str


def load_source(config: DataConfig) -> Source:
    """Read the configured data set; one read from folders may have any name."""
    if config.layout == "folders":
        return load_folders(Path(config.directory))
    return get_dataset(config.dataset).load(Path(config.directory))


def make_splits(source: Source, config: DataConfig) -> dict[str, Split]:
    """Draw the splits: the same ones for the same source, sizes and ``split_seed``.

    Validation is drawn first, from the official training set, then train from what is left, so
    a smaller ``train_size`` never changes the validation set. Test is the official test set or
    a stratified part of it; where there is no official one it is drawn before the others.

    Raises:
        ConfigError: a size that cannot be met.
    """
    seed = config.split_seed
    pool = np.arange(len(source.train))
    if source.test is None:
        if config.test_size is None:
            raise ConfigError("data.test_size = None: this source has no test set, give a number.")
        test, pool = _draw(pool, source.train.labels, config.test_size, seed, "data.test_size")
        test_split = Split(source.train[test], test, "train")
    else:
        test = np.arange(len(source.test))
        test, _ = _draw(test, source.test.labels, config.test_size, seed, "data.test_size")
        test_split = Split(source.test[test], test, "test")
    labels = source.train.labels
    validation, pool = _draw(pool, labels, config.validation_size, seed, "data.validation_size")
    if not len(pool):
        raise ConfigError(
            f"data.validation_size = {config.validation_size}: no image is left to train on."
        )
    train, _ = _draw(pool, labels, config.train_size, seed, "data.train_size")
    return {
        "train": Split(source.train[train], train, "train"),
        "validation": Split(source.train[validation], validation, "train"),
        "test": test_split,
    }


def _draw(
    pool: Index, labels: npt.NDArray[np.int64], size: int | None, seed: int, key: str
) -> tuple[Index, Index]:
    """Split ``pool`` into a stratified draw of ``size`` (None: all) and the rest, both sorted."""
    from sklearn.model_selection import train_test_split  # not needed on a training machine

    if size is None or size == len(pool):
        return pool, pool[:0]
    if size > len(pool):
        raise ConfigError(f"{key} = {size}: only {len(pool)} images are left to draw from.")
    try:
        drawn, rest = train_test_split(
            pool, train_size=size, stratify=labels[pool], random_state=seed
        )
    except ValueError as error:
        raise ConfigError(f"{key} = {size}: cannot be drawn by class ({error})") from None
    return np.sort(drawn), np.sort(rest)

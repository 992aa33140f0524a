"""Which data sets there are: the modules of `ganvae.data.datasets`."""

import importlib
import pkgutil
from pathlib import Path

from ganvae.core.errors import ConfigError
from ganvae.core.paths import CHECKOUT
from ganvae.data import datasets
from ganvae.data.source import Dataset


def dataset_names() -> list[str]:
    """The registered names, sorted."""
    modules = pkgutil.iter_modules(datasets.__path__)
    return sorted(module.name.replace("_", "-") for module in modules)


def get_dataset(name: str) -> Dataset:
    """The data set called ``name``.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in dataset_names():
        raise ConfigError(f"dataset {name!r} is unknown; there are: {', '.join(dataset_names())}")
    module = importlib.import_module(f"{datasets.__name__}.{name.replace('-', '_')}")
    dataset: Dataset = module.DATASET
    return dataset


def fetch_dataset(name: str, directory: Path | None, edition: str | None) -> Path:
    """Download a data set into ``directory``, by default its own in this clone; where that is.

    Args:
        edition: one of those that it has; None takes the first.

    Raises:
        ConfigError: no such data set or edition.
        DataError: nowhere to be had.
    """
    dataset = get_dataset(name)
    if edition is not None and edition not in dataset.editions:
        known = ", ".join(dataset.editions) or "none, leave --edition out"
        raise ConfigError(f"{name} has no edition {edition!r}; there are: {known}.")
    place = directory or CHECKOUT / dataset.directory
    dataset.fetch(place, edition)
    return place


def judge_file(name: str) -> Path:
    """Where this clone has the judge of a data set, if it has one."""
    return CHECKOUT / "judges" / f"{name}.safetensors"

"""The registry of data sets. Each module of `ganvae.data.datasets` is one data set."""

import importlib
import pkgutil
from pathlib import Path

from ganvae.core import assets
from ganvae.core.errors import ConfigError
from ganvae.data import datasets
from ganvae.data.places import download_folder
from ganvae.data.source import Dataset


def dataset_names() -> list[str]:
    """The sorted names of the registered data sets."""
    modules = pkgutil.iter_modules(datasets.__path__)
    return sorted(module.name.replace("_", "-") for module in modules)


def get_dataset(name: str) -> Dataset:
    """Return the registered data set called ``name``.

    Raises:
        ConfigError: no data set has this name.
    """
    if name not in dataset_names():
        raise ConfigError(
            f"dataset {name!r} is unknown; choose one of: {', '.join(dataset_names())}"
        )
    module = importlib.import_module(f"{datasets.__name__}.{name.replace('-', '_')}")
    dataset: Dataset = module.DATASET
    return dataset


def fetch_dataset(name: str, directory: Path | None, edition: str | None) -> Path:
    """Download a data set, and return the folder of the downloaded files.

    Args:
        directory: the folder to download into. None means the first folder that is searched for the
            data set (`ganvae.data.places`).
        edition: an edition of the data set. None means the data set's default edition.

    Raises:
        ConfigError: the data set or the edition is unknown.
        DataError: all downloads failed.
    """
    dataset = get_dataset(name)
    if edition is not None and edition not in dataset.editions:
        advice = (
            f"choose one of: {', '.join(dataset.editions)}"
            if dataset.editions
            else "leave --edition out"
        )
        raise ConfigError(f"{name} has no edition {edition!r}; {advice}")
    folder = download_folder(dataset, directory)
    dataset.fetch(folder, edition)
    return folder


def judge_file(name: str) -> Path:
    """Path of the weights file of a data set's judge. The file may be missing."""
    return assets.ROOT / "judges" / f"{name}.safetensors"

"""Which data sets there are: the modules of `ganvae.data.datasets`."""

import importlib
import pkgutil

from ganvae.data import datasets
from ganvae.data.source import Dataset
from ganvae.errors import ConfigError


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

"""The search for the folder of a data set's files.

If the user gives a folder, this folder is taken. Otherwise the program searches the folder in the
environment variable ``GANVAE_DATA``, and then ``data/raw`` in the clone. A program that was
installed from a wheel has no clone, so it searches the user's cache folder instead.
"""

import os
from pathlib import Path

from ganvae.core import assets
from ganvae.core.errors import ConfigError, DataError
from ganvae.data.source import Dataset

VARIABLE = "GANVAE_DATA"
"""The environment variable that names a folder with one folder per data set."""


def find_folder(dataset: Dataset, given: Path | None) -> Path:
    """Return the folder of a data set's files: ``given``, or the first folder that is not empty.

    The files in the folder are not checked.

    Raises:
        DataError: no folder is given, and none of the searched folders has a file.
    """
    if given:
        return given
    folders = searched(dataset)
    # A failed download leaves an empty folder.
    found = next((folder for folder in folders if folder.is_dir() and any(folder.iterdir())), None)
    if found is None:
        raise DataError(
            f"the files of {dataset.name} were not found. Searched: "
            f"{', '.join(map(str, folders))}. {_remedy(dataset)}"
        )
    return found


def download_folder(dataset: Dataset, given: Path | None) -> Path:
    """Return the folder to download a data set into: ``given``, or the first searched folder."""
    return given or searched(dataset)[0]


def searched(dataset: Dataset) -> list[Path]:
    """The folders that may hold a data set's files, in the order of the search.

    Raises:
        ConfigError: the environment variable ``GANVAE_DATA`` names an unknown user.
    """
    name = Path(dataset.directory).name
    parent = os.environ.get(VARIABLE)
    try:
        folders = [Path(parent).expanduser() / name] if parent else []
    except RuntimeError:
        raise ConfigError(
            f"{VARIABLE} is {parent!r}, but no user has this name. Give the path of a folder."
        ) from None
    return [*folders, assets.CLONE / dataset.directory if assets.CLONE else _cache() / name]


def _cache() -> Path:
    from pooch import os_cache  # the import takes a second

    return Path(os_cache("ganvae"))


def _remedy(dataset: Dataset) -> str:
    if dataset.layout == "folders":  # images of the user's own
        return f"Give the folder of your images with --data, or put it into {VARIABLE}."
    return (
        f"Run `ganvae fetch {dataset.name}`, give the folder of the files with --data, or set "
        f"{VARIABLE} to the parent of the folder."
    )

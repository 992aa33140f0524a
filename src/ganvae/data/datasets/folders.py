"""Images of one's own in class folders (`ganvae.data.folders`)."""

from pathlib import Path

from ganvae.core.errors import ConfigError
from ganvae.data.folders import load_folders
from ganvae.data.source import Dataset


def fetch(directory: Path, edition: str | None = None) -> None:
    """Refuse.

    Raises:
        ConfigError: always.
    """
    raise ConfigError(
        "folders: there is nothing to fetch; give a folder of your own, with a folder of images "
        "a class, as data.directory."
    )


DATASET = Dataset(
    name="folders",
    summary="your own images, a folder a class",
    shape="as they are, or as configured",
    layout="folders",
    directory="data/raw/folders",
    load=load_folders,
    fetch=fetch,
)

"""The user's own images in class folders (`ganvae.data.folders`)."""

from pathlib import Path

from ganvae.core.errors import ConfigError
from ganvae.data.folders import load_folders
from ganvae.data.source import Dataset


def fetch(directory: Path, edition: str | None = None) -> None:
    """Raise an error, because images of the user's own cannot be downloaded.

    Raises:
        ConfigError: always.
    """
    raise ConfigError(
        "folders has nothing to download. Set data.directory to your own folder, with one folder "
        "of images per class."
    )


DATASET = Dataset(
    name="folders",
    summary="your own images, with one folder per class",
    shape="as they are, or as configured",
    layout="folders",
    directory="data/raw/folders",
    load=load_folders,
    fetch=fetch,
)

"""Labeled Faces in the Wild: 13,233 photos of 5,749 people (Huang et al., 2007).

The data set has three editions: ``original``, ``funneled`` and ``deepfunneled``. The faces are
aligned in ``funneled`` and ``deepfunneled``. scikit-learn's mirrors lack ``deepfunneled``, so
`fetch` cannot download this edition. Users can put the archive of ``deepfunneled`` into the
folder by hand. `load` reads all three editions.
"""

from pathlib import Path

from ganvae.config import DataConfig
from ganvae.core.errors import ConfigError, DataError
from ganvae.data.download import fetch_file
from ganvae.data.people import archives_in, load_people
from ganvae.data.photos import Form
from ganvae.data.source import Dataset, Source

SIZE = 32
FACE = 0.44
"""The side of the central square with the face, as a share of the photo's side: 110 / 250."""
ARCHIVES = {
    "funneled": (
        "lfw-funneled.tgz",
        "https://ndownloader.figshare.com/files/5976015",
        "b47c8422c8cded889dc5a13418c4bc2abbda121092b3533a83306f90d900100a",
    ),
    "original": (
        "lfw.tgz",
        "https://ndownloader.figshare.com/files/5976018",
        "055f7d9c632d7370e6fb4afc7468d40f970c34a80d4c6f50ffec63f5a8d536c0",
    ),
}
"""A mapping from an edition to its file name, URL and SHA-256 (sklearn/datasets/_lfw.py)."""
DEFAULT = "funneled"


def load(config: DataConfig) -> Source:
    """Read the face in each photo. Each person is a class and also a group.

    The images are grey, unless ``channels`` is 3.

    Raises:
        DataError: the photos are missing, damaged or misplaced (`ganvae.data.people.load_people`).
    """
    form = Form(config.size or SIZE, config.channels or 1, FACE)
    return load_people(Path(config.directory), DATASET.name, form)


def fetch(directory: Path, edition: str | None = None) -> None:
    """Download the archive of an edition into ``directory``, without unpacking the archive.

    Raises:
        ConfigError: the edition is unknown.
        DataError: ``directory`` has another archive already, or the download failed.
    """
    if edition is not None and edition not in ARCHIVES:
        raise ConfigError(f"edition {edition!r} is unknown; choose one of: {', '.join(ARCHIVES)}")
    name, url, sha256 = ARCHIVES[edition or DEFAULT]
    others = [path.name for path in archives_in(directory) if path.name != name]
    if others:
        raise DataError(
            f"{directory} already has {', '.join(others)}, but the folder may have only one "
            "archive. Move that archive away, or give another folder."
        )
    fetch_file([url], name, sha256, directory)


DATASET = Dataset(
    name="lfw",
    summary="13,233 photos of 5,749 people's faces (Huang et al., 2007)",
    shape="1 x 32 x 32, or as configured",
    layout="people",
    directory="data/raw/lfw",
    load=load,
    fetch=fetch,
    editions=tuple(ARCHIVES),
)

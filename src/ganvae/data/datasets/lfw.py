"""Labeled Faces in the Wild: 13,233 photos of 5,749 people (Huang et al., 2007).

There are three archives of it: ``original``, and those in which the faces were brought to one
place, ``funneled`` and ``deepfunneled``. The last is on no mirror that scikit-learn uses, so it is
not fetched: whoever has that archive puts it into the folder. All three are read alike.
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
"""The central 110 of the photos' 250 pixels: the face, with hardly any background."""
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
"""By edition: name, URL and SHA-256, those of scikit-learn (sklearn/datasets/_lfw.py)."""
DEFAULT = "funneled"


def load(config: DataConfig) -> Source:
    """Read the photos' faces, grey unless ``channels`` is 3; people are classes and groups.

    Raises:
        DataError: as `ganvae.data.people.load_people`.
    """
    form = Form(config.size or SIZE, config.channels or 1, FACE)
    return load_people(Path(config.directory), DATASET.name, form)


def fetch(directory: Path, edition: str | None = None) -> None:
    """Download an archive into ``directory`` and leave it packed.

    Raises:
        ConfigError: an unknown edition.
        DataError: another archive is there already, or the download failed.
    """
    if edition is not None and edition not in ARCHIVES:
        raise ConfigError(f"edition {edition!r} is unknown; there are: {', '.join(ARCHIVES)}")
    name, url, sha256 = ARCHIVES[edition or DEFAULT]
    others = [path.name for path in archives_in(directory) if path.name != name]
    if others:
        raise DataError(
            f"{directory}: has {', '.join(others)} already, and only one archive can be read. "
            "Move it away, or give another folder."
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

"""Fetching a data set's files, through pooch or from where a package has installed them."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from ganvae.core.errors import DataError
from ganvae.core.files import replacing
from ganvae.core.files import sha256 as checksum
from ganvae.data.idx import IdxFile, IdxFiles

BY_HAND = "Copy the file there by hand if this machine has no network."


def fetch_idx(files: IdxFiles, directory: Path, edition: str | None = None) -> None:
    """Get the four files into ``directory``; those already there and intact are kept.

    Each is copied from Debian's package if that is installed, else downloaded. They have no
    editions.

    Raises:
        DataError: no mirror had a file with the right checksum; one line for each attempt.
    """
    advice = BY_HAND
    if files.installed:
        advice += (
            f" On Debian `apt-get install dataset-{files.dataset}` puts it into {files.installed}, "
            "where this command finds it."
        )
    for file in files:
        if files.installed:
            _copy(file, files.installed, directory)
        urls = [f"{mirror.rstrip('/')}/{file.name}" for mirror in files.mirrors]
        fetch_file(urls, file.name, file.sha256, directory, advice)


def fetch_file(
    urls: Sequence[str], name: str, sha256: str, directory: Path, advice: str = BY_HAND
) -> None:
    """Download a file into ``directory`` as ``name``, unless it is there already and intact.

    Args:
        urls: tried in turn.
        advice: what else can be done where none of them delivers.

    Raises:
        DataError: none had a file with that checksum; one line for each attempt.
    """
    import pooch  # its import takes longer than reading the files

    failures = []
    for url in urls:
        try:
            pooch.retrieve(url, known_hash=f"sha256:{sha256}", fname=name, path=directory)
            return
        except (OSError, ValueError) as error:  # requests' errors are OSErrors; a bad hash, a value
            failures.append(f"  {url}: {error}")
    failed = "\n".join(failures)
    raise DataError(f"{directory / name}: no mirror delivered it.\n{failed}\n{advice}")


def _copy(file: IdxFile, installed: Path, directory: Path) -> None:
    """Take an installed file, if it is the published one and ``directory`` has not got that."""
    source, target = installed / file.name, directory / file.name
    if _is(source, file) and not _is(target, file):
        with replacing(target) as temporary:
            shutil.copyfile(source, temporary)


def _is(path: Path, file: IdxFile) -> bool:
    return path.is_file() and checksum(path) == file.sha256

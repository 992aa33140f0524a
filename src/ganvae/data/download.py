"""Download of a data set's files with pooch, or copying from an installed Debian package."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from ganvae.core.errors import DataError
from ganvae.core.files import replacing
from ganvae.core.files import sha256 as checksum
from ganvae.data.idx import IdxFile, IdxFiles

BY_HAND = "If this machine has no network, copy the file there by hand."


def fetch_idx(files: IdxFiles, directory: Path, edition: str | None = None) -> None:
    """Get a data set's four files, unless ``directory`` already has intact copies of them.

    If the data set's Debian package is installed, copy the files from the package. Otherwise
    download the files.

    Args:
        edition: ignored, because MNIST-like data sets have no editions.

    Raises:
        DataError: no mirror has a file with the right checksum. The message has one line per
            attempt.
    """
    advice = BY_HAND
    if files.installed:
        advice += (
            f" On Debian, `apt-get install dataset-{files.dataset}` puts the file into "
            f"{files.installed}, and this command copies it from there."
        )
    for file in files:
        if files.installed:
            _copy(file, files.installed, directory)
        urls = [f"{mirror.rstrip('/')}/{file.name}" for mirror in files.mirrors]
        fetch_file(urls, file.name, file.sha256, directory, advice)


def fetch_file(
    urls: Sequence[str], name: str, sha256: str, directory: Path, advice: str = BY_HAND
) -> None:
    """Download a file into ``directory`` as ``name``, unless an intact copy is already there.

    Args:
        urls: the URLs of the file, tried one after the other.
        sha256: the expected SHA-256 checksum of the file.
        advice: sentences that tell the user how to get the file if all downloads fail.

    Raises:
        DataError: no URL gives a file with the expected checksum. The message has one line per
            attempt.
    """
    import pooch  # the import takes longer than reading the files

    failures = []
    for url in urls:
        try:
            pooch.retrieve(url, known_hash=f"sha256:{sha256}", fname=name, path=directory)
            return
        except (OSError, ValueError) as error:  # from requests; wrong checksum
            failures.append(f"  {url}: {error}")
    failed = "\n".join(failures)
    raise DataError(f"{directory / name}: all downloads failed.\n{failed}\n{advice}")


def _copy(file: IdxFile, installed: Path, directory: Path) -> None:
    """Copy an intact file from ``installed``, unless ``directory`` already has an intact copy."""
    source, target = installed / file.name, directory / file.name
    if _is_published(source, file) and not _is_published(target, file):
        with replacing(target) as temporary:
            shutil.copyfile(source, temporary)


def _is_published(path: Path, file: IdxFile) -> bool:
    return path.is_file() and checksum(path) == file.sha256

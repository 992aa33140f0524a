"""Fetching a data set's files from mirrors through pooch."""

from collections.abc import Sequence
from pathlib import Path

from ganvae.data.idx import IdxFile, IdxFiles
from ganvae.errors import DataError


def fetch_idx(files: IdxFiles, directory: Path, mirrors: Sequence[str] | None = None) -> None:
    """Download the four files into ``directory``; those already there and intact are kept.

    Args:
        mirrors: base URLs tried in turn for each file; by default those of ``files``.

    Raises:
        DataError: no mirror had a file with the right checksum; one line for each attempt.
    """
    for file in files:
        _fetch(file, directory, mirrors or files.mirrors)


def _fetch(file: IdxFile, directory: Path, mirrors: Sequence[str]) -> None:
    import pooch  # its import takes longer than reading the files

    failures = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{file.name}"
        try:
            pooch.retrieve(url, known_hash=f"sha256:{file.sha256}", fname=file.name, path=directory)
            return
        except (OSError, ValueError) as error:  # requests' errors are OSErrors; a bad hash, a value
            failures.append(f"  {url}: {error}")
    raise DataError(
        f"{directory / file.name}: no mirror delivered it.\n" + "\n".join(failures) + "\n"
        "Copy the file there by hand if this machine has no network."
    )

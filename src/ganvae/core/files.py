"""Atomic writing of files and folders, reading of JSON, and checksums.

An atomic write either completes or leaves the old file unchanged.
"""

import csv
import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from ganvae.core.errors import DataError, UserError

OLD = "-old"
"""Marks the temporary name of a folder that is being removed."""
ASIDE = "-aside"
"""Marks the temporary name of a folder that is being replaced."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``. Rename the temporary path to ``path`` on success.

    The ``with`` block may create a file or a directory at the temporary path. If the block fails,
    the temporary path is removed and an existing ``path`` stays unchanged. The new content is on
    the disk before the rename, so a power loss leaves the old or the new content. An old directory
    is set aside until the new one has its name. A crash in between leaves nothing at ``path``, and
    the next writer of ``path`` gives the old directory its name back. Temporary paths of processes
    that were killed are removed.

    Raises:
        UserError: the disk is full, or ``path`` is not writable.
    """
    temporary, aside = _temporary(path), _temporary(path, ASIDE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        yield temporary
        _sync(temporary)
        if path.is_dir():
            path.replace(aside)
        temporary.replace(path)
        _sync_entries(path.parent)
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}. "
            "Check the free disk space and the permissions, then run the same command again."
        ) from error
    finally:
        _remove(temporary)
        _restore_or_remove(aside, path)


def remove_folder(path: Path) -> None:
    """Remove a folder. A crash leaves the whole folder or nothing under its name.

    What earlier crashes have left of a folder of this name is removed too, even if the folder
    itself is missing.
    """
    _remove_leftovers(path)
    removed = _temporary(path, OLD)
    with suppress(FileNotFoundError):
        path.replace(removed)
    _remove(removed)


def _temporary(path: Path, kind: str = "") -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}{kind}.tmp")


def _remove_leftovers(path: Path) -> None:
    """Remove the temporary paths of ``path`` whose processes have ended.

    A path with the id of this process is from an earlier process, since containers use the same
    ids again. A directory that was set aside gets its name back if there is no newer one.
    """
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(\d+)({OLD}|{ASIDE})?\.tmp")
    for entry in list(path.parent.glob(".*.tmp")):  # none in a missing folder
        found = pattern.fullmatch(entry.name)
        if not found or _belongs_to_another(int(found[1])):
            continue
        if found[2] == ASIDE:
            _restore_or_remove(entry, path)
        else:
            _remove(entry)


def _belongs_to_another(process: int) -> bool:
    """Return whether a process other than this one lives."""
    return process != os.getpid() and psutil.pid_exists(process)


def _restore_or_remove(aside: Path, path: Path) -> None:
    """Rename a directory back to ``path``. If ``path`` exists, remove the directory instead."""
    if os.path.lexists(path):
        _remove(aside)
    else:
        with suppress(OSError):  # nothing was set aside
            aside.replace(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):  # already removed, or never created
        path.unlink()


def _sync(path: Path) -> None:
    """Wait until a file, or all files of a folder, are on the disk."""
    if path.is_dir():
        os.sync()  # one call for any number of files
    elif path.exists():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _sync_entries(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically.

    Raises:
        ValueError: ``value`` contains NaN or infinity.
    """
    write_text(path, json_text(value))


def json_text(value: Any) -> str:
    """Return the text that `write_json` writes.

    Raises:
        ValueError: ``value`` contains NaN or infinity.
    """
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


SPECIAL = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def special_kind(path: Path) -> str | None:
    """The kind of a special file, such as ``a named pipe``, or None for any other path.

    Special files must not be opened. Reading a named pipe can wait for ever, and a device may have
    no end.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # a missing file, or a path with a null character
        return None
    return next((kind for is_kind, kind in SPECIAL if is_kind(mode)), None)


def refuse_special(path: Path) -> None:
    """Refuse a named pipe, a socket or a device.

    Raises:
        DataError: the path is a named pipe, a socket or a device.
    """
    if kind := special_kind(path):
        raise DataError(f"{path} is {kind}, which is never opened. Give a regular file.")


def read_utf8(path: Path) -> str:
    """Read a text file.

    Raises:
        DataError: the file is a named pipe, a socket or a device, or is not UTF-8.
        OSError: the file is missing or unreadable.
    """
    refuse_special(path)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text (byte {error.start} is 0x{error.object[error.start]:02x}). "
            "Save the file as UTF-8."
        ) from None


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        UserError: the file is missing, unreadable or not JSON.
    """
    try:
        return parse_json(read_utf8(path))
    except FileNotFoundError:
        raise UserError(f"{path} is missing. Run the stage that writes it (`dvc repro`).") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON ({error}). Delete it and run again.") from None


def parse_json(text: str) -> Any:
    """Parse JSON text.

    Raises:
        ValueError, RecursionError: the text is not JSON, has a key twice, NaN or infinity, or has
            an escaped surrogate, which is no text.
    """
    value = json.loads(
        text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_repeated_keys
    )
    json.dumps(value, ensure_ascii=False).encode()
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {max(keys, key=keys.count)!r} occurs twice")
    return values


def write_csv(path: Path, rows: Iterable[Mapping[str, object]], columns: Iterable[str]) -> None:
    """Write ``rows`` as CSV with a header, atomically. Missing and None values are empty cells."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes.

    Raises:
        DataError: the file is a named pipe, a socket or a device.
    """
    refuse_special(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

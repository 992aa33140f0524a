"""Read the committed records and tokens, and measure the committed code.

A record holds the measured behaviour of one part of the code. A token is a small file that changes
only when that behaviour changes.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

from ganvae.core.files import read_json, replacing, write_json
from ganvae.core.tokens import (
    FOLDER,
    LOCKED,
    MEASURED,
    SOURCE,
    record_path,
    source_checksum,
    token_path,
)
from ganvae.pipeline.behaviour.measure import Record

MEASURING = Path("ganvae/pipeline/behaviour")
CACHE = Path(".state/behaviour")


class Before:
    """The last commit that changed records of behaviour.

    The records of a commit describe the code of this commit.
    """

    def __init__(self, root: Path, commit: str) -> None:
        self._root = root
        self._commit = commit

    def record(self, name: str) -> Record | None:
        """Return the committed record of a fingerprint; None if the commit has no such record."""
        content = git(self._root, "show", f"{self._commit}:./{record_path(name)}")
        record: Record | None = json.loads(content) if content else None
        return record

    def restore(self, name: str) -> None:
        """Restore the record and the token of a fingerprint from the commit."""
        for path in (record_path(name), token_path(name)):
            content = git(self._root, "show", f"{self._commit}:./{path}")
            if not (self._root / path).exists() or (self._root / path).read_bytes() != content:
                with replacing(self._root / path) as temporary:
                    temporary.write_bytes(content)

    def measured(self, machine: str) -> dict[str, Record]:
        """Measure the commit's code on this processor, with the commit's own copy of this package.

        Args:
            machine: the description of this processor; the measurement is cached per description.

        Returns:
            The records by fingerprint; an empty mapping if the commit's code cannot be measured.
        """
        return self._cached(machine, None)

    def measured_anew(self, machine: str) -> dict[str, Record]:
        """Measure the commit's code like `measured`, but with the current copy of this package."""
        return self._cached(machine, self._root / SOURCE / MEASURING)

    def _cached(self, machine: str, measuring: Path | None) -> dict[str, Record]:
        text = [path.read_text() for path in sorted(measuring.glob("*.py"))] if measuring else []
        key = hashlib.sha256(json.dumps([machine, *text]).encode()).hexdigest()[:12]
        cache = self._root / CACHE / f"{self._commit}-{key}.json"
        if cache.exists():
            cached: dict[str, Record] = read_json(cache)
            return cached
        archive = git(self._root, "archive", self._commit, str(SOURCE), str(LOCKED))
        print(
            "the measured numbers differ from the records, so the code of commit "
            f"{self._commit[:10]} is measured on this machine, too",
            flush=True,
        )
        written = git(self._root, "show", f"{self._commit}:./{MEASURED}")
        source = json.loads(written)["source"] if written else ""
        measured = _run(archive, source, measuring) if archive else {}
        if measured:
            write_json(cache, measured)
        return measured


def last_commit(root: Path) -> Before | None:
    """Return the last commit that changed records; None without git or without such a commit."""
    commit = git(root, "log", "-1", "--format=%H", "--", str(FOLDER)).decode().strip()
    return Before(root, commit) if commit else None


def git(root: Path, *arguments: str) -> bytes:
    """Run git in the folder ``root`` and return its output; empty if git is missing or fails."""
    command = ["git", "-C", str(root), *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return b""


def _run(archive: bytes, source: str, measuring: Path | None) -> dict[str, Record]:
    """Measure the code in a tar archive; return the records by fingerprint.

    Args:
        archive: the tar file's bytes.
        source: the checksum of the code that the committed records describe.
        measuring: a folder that replaces the archive's `ganvae.pipeline.behaviour`; None keeps the
            archive's own package.

    Returns:
        The records; an empty mapping if the archived code has another checksum or the measurement
        fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(archive)) as tar:
            tar.extractall(folder, filter="data")
        if source_checksum(Path(folder)) != source:
            print(
                "the records of this commit describe other code, so the commit is not measured "
                "(a shallow clone can be the reason)"
            )
            return {}
        if measuring:
            shutil.rmtree(Path(folder) / SOURCE / MEASURING, ignore_errors=True)
            shutil.copytree(measuring, Path(folder) / SOURCE / MEASURING)
        out = Path(folder) / "measured.json"
        result = subprocess.run(
            [sys.executable, "-m", "ganvae.pipeline.behaviour", str(out)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(Path(folder) / SOURCE)},
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            sys.stderr.write(result.stderr)
            return {}
        measured: dict[str, Record] = read_json(out)
        return measured

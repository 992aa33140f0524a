"""Tokens: small files that change only if the measured behaviour of code changes.

Pipeline stages depend on tokens instead of source files. `ganvae.pipeline.behaviour` measures the
behaviour and writes the tokens. docs/design.md explains how a change reaches the results.
"""

import hashlib
from pathlib import Path

from ganvae.core.files import read_json

FOLDER = Path("behaviour")
MEASURED = FOLDER / "source.json"
"""The file with the checksum of the source text at the last measurement of the tokens."""
LOCKED = Path("requirements.lock")
SOURCE = Path("src")


def is_project(root: Path) -> bool:
    """Return whether a folder is the root of a user's project, which has no source code of ours."""
    return not (root / SOURCE / "ganvae").exists()


def token_path(name: str) -> Path:
    """Path of a token, for example ``train/dcgan``, relative to the repository's root."""
    return FOLDER / "tokens" / f"{name}.json"


def record_path(name: str) -> Path:
    """Path of a token's record: the measured numbers, and the kind of processor."""
    return FOLDER / "records" / f"{name}.json"


def source_checksum(root: Path) -> str:
    """Hexadecimal SHA-256 of all Python files under ``src/``, and of requirements.lock."""
    digest = hashlib.sha256()
    for path in [root / LOCKED, *sorted((root / SOURCE).rglob("*.py"))]:
        if path.exists():
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def current_token(root: Path, name: str) -> str | None:
    """The checksum in the token ``name``, or None if the token is missing or outdated.

    A token is outdated if the source text has changed since the measurement.

    Args:
        root: the repository's root.
    """
    token = root / token_path(name)
    if not (token.exists() and is_current(root)):
        return None
    return str(read_json(token)["behaviour"])


def is_current(root: Path) -> bool:
    """Return whether the tokens were measured from the current source text."""
    measured = root / MEASURED
    return measured.exists() and read_json(measured)["source"] == source_checksum(root)

"""Behaviour tokens: small files that change only when the behaviour of the code changes.

Pipeline stages depend on tokens instead of source files. `ganvae.pipeline.behaviour` writes the
tokens. docs/design.md explains how a change reaches the results.
"""

import hashlib
from pathlib import Path

from ganvae.core.files import read_json

FOLDER = Path("behaviour")
MEASURED = FOLDER / "source.json"
"""Holds the checksum of the source text that the tokens were measured from."""
LOCKED = Path("requirements.lock")
SOURCE = Path("src")


def token_path(name: str) -> Path:
    """Path of a token, for example ``train/dcgan``, relative to the repository's root."""
    return FOLDER / "tokens" / f"{name}.json"


def record_path(name: str) -> Path:
    """Path of the record behind a token: the measured numbers, and the processor."""
    return FOLDER / "records" / f"{name}.json"


def source_checksum(root: Path) -> str:
    """SHA-256 of all text that behaviour could depend on: the source and requirements.lock."""
    digest = hashlib.sha256()
    for path in [root / LOCKED, *sorted((root / SOURCE).rglob("*.py"))]:
        if path.exists():
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def current_token(root: Path, name: str) -> str | None:
    """The token called ``name``. None if it is missing or not measured from the current source.

    Args:
        root: the repository's root.
    """
    token = root / token_path(name)
    if not (token.exists() and is_current(root)):
        return None
    return str(read_json(token)["behaviour"])


def is_current(root: Path) -> bool:
    """Whether the tokens were measured from the current source."""
    measured = root / MEASURED
    return measured.exists() and read_json(measured)["source"] == source_checksum(root)

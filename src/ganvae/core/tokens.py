"""Small files that change only when what the code does changes: results depend on them.

`ganvae.pipeline.behaviour` writes them; docs/design.md says how a change travels.
"""

import hashlib
from pathlib import Path

from ganvae.core.files import read_json

FOLDER = Path("behaviour")
MEASURED = FOLDER / "source.json"
"""Says of which source text the tokens are."""
LOCKED = Path("requirements.lock")
SOURCE = Path("src")


def token_path(name: str) -> Path:
    """Of the fingerprint ``train/dcgan``, say, relative to the repository's root."""
    return FOLDER / "tokens" / f"{name}.json"


def record_path(name: str) -> Path:
    """What was measured for a fingerprint, and on which processor."""
    return FOLDER / "records" / f"{name}.json"


def source_checksum(root: Path) -> str:
    """Of all text that behaviour could depend on."""
    digest = hashlib.sha256()
    for path in [root / LOCKED, *sorted((root / SOURCE).rglob("*.py"))]:
        if path.exists():
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def current_token(root: Path, name: str) -> str | None:
    """A token, if it is that of the source as it stands now.

    Args:
        root: the repository's root.
    """
    token = root / token_path(name)
    if not (token.exists() and is_current(root)):
        return None
    return str(read_json(token)["behaviour"])


def is_current(root: Path) -> bool:
    """Whether the tokens are those of the source as it stands now."""
    measured = root / MEASURED
    return measured.exists() and read_json(measured)["source"] == source_checksum(root)

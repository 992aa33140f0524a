"""Remember which profiles have results that MLflow may lack, even if `ganvae repro` is killed."""

from pathlib import Path

from ganvae.core.files import write_text
from ganvae.core.paths import checkout_root


def mark_unsynced(profile: str) -> None:
    """Say that MLflow may lack results of a profile. Called before any stage runs.

    Raises:
        UserError: the file cannot be written.
    """
    write_text(_mark(profile), "")


def mark_synced(profile: str) -> None:
    """Say that MLflow shows all results of a profile."""
    _mark(profile).unlink(missing_ok=True)


def is_unsynced(profile: str) -> bool:
    """Return whether MLflow may lack results of a profile."""
    return _mark(profile).exists()


def _mark(profile: str) -> Path:
    return checkout_root() / ".state" / f"{profile}.unsynced"

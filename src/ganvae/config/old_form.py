"""Recognising parameter files that were written for an earlier version."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganvae.core.errors import ConfigError


def refuse_old_form(values: Mapping[str, Any], path: Path) -> None:
    """Refuse a params.yaml that has ``models`` and ``code`` for variants and systems.

    Raises:
        ConfigError: it is of that form; the message says what to do.
    """
    if "models" in values:
        raise ConfigError(
            f"{path}: written for an earlier version, in which variants were called `models`. "
            "`ganvae migrate` rewrites it, and the results and locks that go with it."
        )

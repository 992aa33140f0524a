"""Recognition of parameter files from an earlier version."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganvae.core.errors import ConfigError


def refuse_old_form(values: Mapping[str, Any], path: Path) -> None:
    """Refuse a params.yaml of an earlier version, in which variants were called ``models``.

    Raises:
        ConfigError: ``values`` has a key ``models``. The message says how to migrate the file.
    """
    if "models" in values:
        raise ConfigError(
            f"{path}: this file was written for an earlier version, which called variants "
            "`models`. Run `ganvae migrate` to rewrite it, together with its results and locks."
        )

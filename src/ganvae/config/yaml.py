"""Reading of YAML files, with errors that name the file."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ganvae.core.errors import ConfigError


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML 1.2 file whose top level is a mapping.

    The text 2e-4 becomes a number, as in DVC.

    Raises:
        ConfigError: the file is missing, not valid YAML, or not a mapping.
    """
    try:
        values = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}).") from None
    except YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(
            f"{path} contains a {type(values).__name__}, but it must have `key: value` lines."
        )
    return values

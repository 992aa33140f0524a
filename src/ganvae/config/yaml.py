"""Reading YAML files."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ganvae.core.errors import ConfigError


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML 1.2 file whose top level is a mapping (2e-4 is a number, as it is to DVC).

    Raises:
        ConfigError: missing, not YAML, or not a mapping.
    """
    try:
        values = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from None
    except YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected `key: value` lines, found {type(values).__name__}.")
    return values

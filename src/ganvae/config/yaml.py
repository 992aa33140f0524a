"""Reading of YAML files, with errors that name the file."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ganvae.core.errors import ConfigError
from ganvae.core.files import read_utf8

LARGEST_INTEGER = 2**63 - 1
MOST_VALUES = 1_000_000
"""The largest number of values in a file, with each alias replaced by the values it stands for."""


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML 1.2 file whose top level is a mapping.

    The text 2e-4 becomes a number, as in DVC.

    Raises:
        ConfigError: the file is missing, not a mapping, or not allowed by `parse_yaml`.
        DataError: the file is not UTF-8, or is a named pipe, a socket or a device.
    """
    try:
        values = parse_yaml(read_utf8(path), str(path))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}).") from None
    if not isinstance(values, dict):
        raise ConfigError(
            f"{path} contains a {type(values).__name__}, but it must have `key: value` lines."
        )
    return values


def parse_yaml(text: str, name: str) -> Any:
    """Parse YAML 1.2 text.

    Args:
        name: the file or option that holds the text, for messages.

    Raises:
        ConfigError: the text is not valid YAML. Also raised for a key that is no text, a number
            beyond 64 bits, too many or too deeply nested values, and characters that UTF-8 cannot
            encode.
    """
    try:
        values = YAML(typ="safe", pure=True).load(text)
        if _count(values, {}, name) > MOST_VALUES:
            raise ConfigError(f"{name} has more than {MOST_VALUES:,} values. Remove aliases.")
    except RecursionError:
        raise ConfigError(f"{name} is nested too deeply. Remove brackets.") from None
    except (YAMLError, ValueError, TypeError, OverflowError) as error:
        raise ConfigError(f"{name} is not valid YAML: {error}") from None
    return values


def _count(value: Any, counts: dict[int, int | None], name: str) -> int:
    """Count the values inside ``value``, and check each value.

    Args:
        counts: the number of values by the ``id`` of a mapping or list; None while the values are
            being counted. An alias makes one object appear in several places.
        name: the file or option, for messages.

    Raises:
        ConfigError: a value is of a kind that no parameter can have.
    """
    if isinstance(value, str):
        _check_text(value, name)
    elif isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise ConfigError(
            f"{name} has the number {str(value)[:8]}… with {len(str(abs(value)))} digits, but "
            f"numbers must lie within ±{LARGEST_INTEGER}."
        )
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in counts:
        counts[id(value)] = None
        if isinstance(value, dict):
            _check_keys(value, name)
        children = value.values() if isinstance(value, dict) else value
        counts[id(value)] = 1 + sum(_count(child, counts, name) for child in children)
    count = counts[id(value)]
    if count is None:
        raise ConfigError(f"{name} has an alias inside the value that it stands for. Remove it.")
    return count


def _check_keys(values: dict[Any, Any], name: str) -> None:
    for key in values:
        if not isinstance(key, str):
            raise ConfigError(f"{name} has the key {key!r}, which is no text. Put it in quotes.")
        _check_text(key, name)


def _check_text(text: str, name: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(
            f"{name} has the text {text[:40]!r}, which UTF-8 cannot encode. Remove the escaped "
            "surrogate."
        ) from None

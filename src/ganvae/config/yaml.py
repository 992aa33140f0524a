"""Reading of YAML files, with errors that name the file."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ganvae.core.errors import ConfigError
from ganvae.core.files import read_utf8

LARGEST_INTEGER = 2**63 - 1
MOST_VALUES = 1_000_000
"""The largest allowed number of values in a file. An alias counts as all values it stands for."""


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML 1.2 file whose top level is a mapping.

    The text 2e-4 becomes a number, as in DVC.

    Raises:
        ConfigError: the file is missing or unreadable, or its top level is not a mapping. Also
            raised for text that `parse_yaml` refuses.
        DataError: the file is not UTF-8, or is a named pipe, a socket or a device.
    """
    try:
        values = parse_yaml(read_utf8(path), str(path))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}).") from None
    if values is None:
        raise ConfigError(f"{path} is empty, but it must have `key: value` lines.")
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
        ConfigError: the text is not valid YAML. Also raised for a key that is not text, an integer
            beyond 64 bits, too many values, too deep nesting, and characters that UTF-8 cannot
            encode.
    """
    try:
        values = YAML(typ="safe", pure=True).load(text)
        if _count(values, {}, name) > MOST_VALUES:
            raise ConfigError(f"{name} has more than {MOST_VALUES:,} values. Use fewer aliases.")
    except RecursionError:
        raise ConfigError(f"{name} has too many levels of nesting. Use fewer levels.") from None
    except (YAMLError, ValueError, TypeError, OverflowError) as error:
        raise ConfigError(f"{name} is not valid YAML: {_in_one_line(error)}") from None
    return values


def _in_one_line(error: Exception) -> str:
    """The text of an error. Of a syntax error, only the problem and its place."""
    if isinstance(error, MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"{error.problem} (line {mark.line + 1}, column {mark.column + 1})"
    return " ".join(str(error).split())


def _count(value: Any, counts: dict[int, int | None], name: str) -> int:
    """Count the values inside ``value``, and check each value.

    Args:
        counts: the numbers of values that are known so far. The keys are the ``id`` of a mapping or
            list, because an alias makes one object appear in several places. A number is None while
            the values of its mapping or list are being counted.
        name: the file or option that holds the value, for messages.

    Raises:
        ConfigError: a value is an integer beyond 64 bits or text that UTF-8 cannot encode, or
            contains an alias of itself. Also raised for a key that is not text.
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
        raise ConfigError(f"{name} has a value that contains an alias of itself. Remove the alias.")
    return count


def _check_keys(values: dict[Any, Any], name: str) -> None:
    for key in values:
        if not isinstance(key, str):
            raise ConfigError(f"{name} has the key {key!r}, which is not text. Put it in quotes.")
        _check_text(key, name)


def _check_text(text: str, name: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(
            f"{name} has the text {text[:40]!r}, which UTF-8 cannot encode. Remove the escaped "
            "surrogate."
        ) from None

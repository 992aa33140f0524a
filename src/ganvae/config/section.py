"""Sections of parameter files: their validation, and messages about invalid values."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ganvae.core.errors import ConfigError

FILE_SUFFIXES = (".yaml", ".json")


class Section(BaseModel):
    """A section of params.yaml: immutable, no unknown keys, no silent conversions."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=()
    )


S = TypeVar("S", bound=Section)


def parse(section: type[S], values: Any, where: str) -> S:
    """Validate ``values`` and return them as a ``section``.

    Args:
        where: the file, or the dotted key, that holds the values. Messages begin with it.

    Raises:
        ConfigError: with one line per fault: the key, its value and what is allowed.
    """
    try:
        return section.model_validate(values)
    except ValidationError as error:
        unknown_first = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        faults = [_describe(fault, section, where) for fault in unknown_first]
        raise ConfigError("\n".join(faults)) from None


def _describe(fault: Any, section: type[Section], where: str) -> str:
    path = [str(part) for part in fault["loc"]]
    key = where
    if path:
        key += (": " if where.endswith(FILE_SUFFIXES) else ".") + ".".join(path)
    match fault["type"]:
        case "extra_forbidden":
            known = ", ".join(_known_keys(section, path[:-1]))
            return f"{key} is not a known key. Allowed here: {known}."
        case "missing":
            return f"{key} is missing."
        case "value_error":
            return f"{key}: {str(fault['ctx']['error']).rstrip('.')}."
        case _:
            return f"{key} is {fault['input']!r}, but {_clause(fault['msg'])}."


def _known_keys(section: type[Section], path: list[str]) -> list[str]:
    """The keys of the section at ``path``. Dictionaries on the way to it allow any key."""
    current: Any = section
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            current = current.model_fields[part].annotation
        if getattr(current, "__origin__", None) is dict:
            current = current.__args__[1]
    return list(current.model_fields) if hasattr(current, "model_fields") else []


def _clause(message: str) -> str:
    """Pydantic's message as the end of a sentence: "Input should be ..." as "it should be ..."."""
    subject, _, rest = message.partition(" ")
    return f"{'it' if subject == 'Input' else f'the {subject.lower()}'} {rest}"


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield nested values with dotted keys: ``{"a": {"b": 1}}`` gives ``("a.b", 1)``."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value

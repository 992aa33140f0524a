"""Validation of the sections of parameter files, with messages about invalid values."""

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganvae.core.errors import ConfigError
from ganvae.core.limits import LARGEST_SEED

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""The pattern of names that become parts of paths and of DVC's stage names."""

PATH = r"^[A-Za-z0-9._/-]+$"
"""The pattern of paths inside the repository."""

SYSTEM = rf"{NAME}|^(?:[A-Za-z0-9_-]+/)+[A-Za-z0-9_-]+\.py$"
"""The pattern of the names of systems: a name, or the path of a Python file in the project."""

Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
"""A random seed."""

FILE_SUFFIXES = (".yaml", ".json")


class Section(BaseModel):
    """Base class of the sections of parameter files.

    A section is immutable, refuses unknown keys and converts no values silently.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=()
    )


S = TypeVar("S", bound=Section)


def parse(section: type[S], values: Any, where: str) -> S:
    """Validate ``values``, and return an instance of the class ``section``.

    Args:
        where: the file or the dotted key that holds the values. Error messages start with this
            text.

    Raises:
        ConfigError: a value is unknown, missing or invalid. The message has one line per fault.
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
            return f"{key} is not a known key." + (f" Allowed here: {known}." if known else "")
        case "missing":
            return f"{key} is missing."
        case "value_error":
            return f"{key}: {str(fault['ctx']['error']).rstrip('.')}."
        case _:
            return f"{key} is {fault['input']!r}, but {_clause(fault['msg'])}."


def _known_keys(section: type[Section], path: list[str]) -> list[str]:
    """The keys allowed at ``path`` in ``section``. The list is empty if all keys are allowed."""
    current: Any = section
    for part in path:
        current = _inside(current, part)
    return list(current.model_fields) if _is_model(current) else []


def _inside(kind: Any, part: str) -> Any:
    """The type of an entry of a value of the type ``kind``. None if the type is unknown.

    ``part`` is the key or the position of the entry. If the type of the entry is a union, such as
    ``Schedule | None``, the result is the first section class of the union.
    """
    if _is_model(kind):
        field = kind.model_fields.get(part)
        kind = field.annotation if field else None
    else:
        kind = next(reversed(get_args(kind)), None)  # the type of the values of a dict or list
    if _is_union(kind):
        return next(filter(_is_model, get_args(kind)), None)
    return kind


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType)


def _clause(message: str) -> str:
    """Pydantic's message as a clause: "Input should be ..." becomes "it should be ..."."""
    subject, _, rest = message.partition(" ")
    return f"{'it' if subject == 'Input' else f'the {subject.lower()}'} {rest}"


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each dotted key with its value. ``{"a": {"b": 1}}`` gives ``("a.b", 1)``."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value

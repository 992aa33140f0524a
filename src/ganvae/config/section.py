"""A section of a parameter file: typing it, and saying what is wrong with it."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ganvae.core.errors import ConfigError


class Section(BaseModel):
    """A section of params.yaml: immutable, no unknown keys, no silent conversions."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=()
    )


S = TypeVar("S", bound=Section)


def parse(section: type[S], values: Any, where: str) -> S:
    """Type ``values`` as ``section``.

    Raises:
        ConfigError: one line a fault: ``where.key``, the value found and what is allowed.
    """
    try:
        return section.model_validate(values)
    except ValidationError as error:
        unknown_first = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        faults = [_describe(fault, section, where) for fault in unknown_first]
        raise ConfigError("\n".join(faults)) from None


def _describe(fault: Any, section: type[Section], where: str) -> str:
    path = [str(part) for part in fault["loc"]]
    key = ".".join([where, *path])
    match fault["type"]:
        case "extra_forbidden":
            known = ", ".join(_known_keys(section, path[:-1]))
            return f"{key}: unknown key; allowed here: {known}"
        case "missing":
            return f"{key}: missing"
        case "value_error":
            return f"{key}: {fault['ctx']['error']}"
        case _:
            return f"{key} = {fault['input']!r}: {_lower_first(fault['msg'])}"


def _known_keys(section: type[Section], path: list[str]) -> list[str]:
    """The keys of the (sub)section at ``path``; dictionaries in between take any key."""
    current: Any = section
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            current = current.model_fields[part].annotation
        if getattr(current, "__origin__", None) is dict:
            current = current.__args__[1]
    return list(current.model_fields) if hasattr(current, "model_fields") else []


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """``{"a": {"b": 1}}`` as ``("a.b", 1)``."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value

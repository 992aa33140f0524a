"""The search for a match file by the name of the match, and the files that it extends."""

import re
from pathlib import Path
from typing import Any

from ganvae.config import flat, parse, read_yaml
from ganvae.config.section import NAME
from ganvae.core.errors import ConfigError
from ganvae.matches.spec import FamilySpace, Match, MatchRange
from ganvae.models.registry import system_config
from ganvae.sweeps.space import applied

FOLDER = Path("sweeps/matches")


def read_match(name: str, root: Path = Path()) -> Match:
    """Read a match by its name in `sweeps/matches`.

    Raises:
        ConfigError: the match does not exist, or is invalid.
    """
    path = _path(name, root)
    values = read_yaml(path)
    if (base := values.pop("extends", None)) is not None:
        values = _extended(_base(base, path, root), values)
    match = parse(Match, values, str(path))
    for family, space in match.families.items():
        for system in space.systems:
            _check_names(space, system, f"{path}: families.{family}")
    return match


def _path(name: Any, root: Path) -> Path:
    """Return the path of a match file.

    Raises:
        ConfigError: the match does not exist.
    """
    path = root / FOLDER / f"{name}.yaml"
    if not (re.fullmatch(NAME, str(name)) and path.is_file()):
        known = ", ".join(sorted(file.stem for file in (root / FOLDER).glob("*.yaml"))) or "none"
        raise ConfigError(f"there is no match {name!r} ({path}). Matches in {FOLDER}: {known}.")
    return path


def _base(name: Any, path: Path, root: Path) -> dict[str, Any]:
    """Return the content of the match file that another one extends.

    Raises:
        ConfigError: there is no such match, or it extends a third one.
    """
    try:
        values = read_yaml(_path(name, root))
    except ConfigError as error:
        raise ConfigError(f"{path}: extends: {error}") from None
    if "extends" in values:
        raise ConfigError(
            f"{path}: match {name} itself extends match {values['extends']}. Extend a match whose "
            "file is complete."
        )
    return values


def _extended(base: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a match file over those of the file that it extends.

    Mappings are merged. Lists, and the range of a parameter, are replaced as a whole.
    """
    merged = dict(base)
    for key, value in values.items():
        before = base.get(key)
        if isinstance(before, dict) and isinstance(value, dict) and not _is_range(value):
            merged[key] = _extended(before, value)
        else:
            merged[key] = value
    return merged


def _is_range(values: dict[str, Any]) -> bool:
    return not values.keys().isdisjoint(("low", "high", "choices"))


def _check_names(space: FamilySpace, system: str, where: str) -> None:
    """Check that a system has every parameter, and that every condition can be true.

    Raises:
        ConfigError: a name or a value is wrong. Draws would then fail, or never draw a parameter.
    """
    fixed = space.fixed.get(system, {})
    defaults = system_config(system, {}).model_dump()
    known = [name for name, _ in flat(defaults)]
    earlier: dict[str, MatchRange] = {}
    for name in [*fixed, *space.ranges(system)]:
        if name not in (*known, *defaults):
            raise ConfigError(
                f"{where}: system {system} has no parameter {name}. Parameters of this system: "
                f"{', '.join(known)}."
            )
    applied(system, {}, fixed)
    for name, values in space.ranges(system).items():
        for other, allowed in values.only.items():
            if other not in earlier:
                raise ConfigError(
                    f"{where}: {name} is drawn only for some values of {other}, but {other} is not "
                    f"drawn before it for system {system}. Write {other} above {name}."
                )
            if wrong := [value for value in allowed if not earlier[other].allows(value)]:
                raise ConfigError(
                    f"{where}: {name} is drawn only if {other} is {wrong[0]}, but {other} never "
                    "has this value. Correct the value."
                )
        earlier[name] = values

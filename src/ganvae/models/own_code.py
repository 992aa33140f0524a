"""The code of users' systems: a Python file, or a plug-in of another installed package.

A parameter file names such a system by the path of the file, or by the name of the plug-in. Another
package registers a plug-in as an entry point of the group `GROUP`. This module imports no model.
"""

import hashlib
import importlib.util
import os
import re
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from ganvae.config.section import SYSTEM
from ganvae.core.errors import ConfigError, DataError
from ganvae.core.paths import checkout_root
from ganvae.models.names import system_names

GROUP = "ganvae.systems"
"""The group of entry points that name model classes of other packages."""
SUFFIX = ".py"
COMPILED = ".pyc"
MISSING = (
    "the file of the system {name} does not exist. Check the path, or run the command in the "
    "project that has this file."
)


def is_file(name: str) -> bool:
    """Return whether the name of a system is the path of a Python file."""
    return name.endswith(SUFFIX)


def find_file(name: str) -> Path:
    """Return the file of a system: relative to the working folder, or to the project's root.

    Raises:
        ConfigError: the file does not exist.
    """
    for path in (Path(name), checkout_root() / name):
        if path.is_file():
            return path.resolve()
    raise ConfigError(MISSING.format(name=name))


def name_inside(name: str) -> str:
    """Return the name by which a weights file names a system: for a file, its path from the root.

    Args:
        name: the name of a system, or any path of a Python file.

    Raises:
        ConfigError: the file does not exist, or is no file that `refuse_outside` accepts.
    """
    if not is_file(name) or re.fullmatch(SYSTEM, name):
        return name
    root = checkout_root().resolve()
    path = Path(os.path.relpath(find_file(name), root))
    if not re.fullmatch(SYSTEM, str(path)):
        raise ConfigError(
            f"{name}: weights files name a model by its path from {root}. This path may have only "
            "letters, digits, - and _, and no `..`. Change to the folder of the file."
        )
    return str(path)


def refuse_outside(name: str, weights: Path) -> None:
    """Refuse a weights file that names a Python file outside of the project. Import nothing.

    Args:
        name: the system that the weights file names.

    Raises:
        DataError: the name is a path that params.yaml may not have either.
    """
    if is_file(name) and not re.fullmatch(SYSTEM, name):
        raise DataError(
            f"{weights} names the Python file {name!r} as its model. Only files below the project "
            "are imported, by a path without `..`. If you trust this file, copy it into the "
            "project, and train the model again."
        )


@cache
def plug_ins() -> dict[str, list[EntryPoint]]:
    """The plug-ins of other installed packages, by name. Two packages may share a name."""
    found: dict[str, dict[str, EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, {}).setdefault(point.value, point)
    return {name: list(points.values()) for name, points in found.items()}


def plug_in(name: str) -> EntryPoint:
    """Return the plug-in with a name.

    Raises:
        ConfigError: no system has this name, or two packages have plug-ins of this name.
    """
    points = plug_ins().get(name, [])
    if not points:
        known = ", ".join([*system_names(), *sorted(plug_ins().keys() - system_names())])
        raise ConfigError(
            f"system {name!r} is unknown. Choose one of these systems: {known}. Or give the path "
            "of a Python file with a model."
        )
    if len(points) > 1:
        packages = " and ".join(map(package_of, points))
        raise ConfigError(
            f"the packages {packages} both have a system named {name!r}. Uninstall one."
        )
    return points[0]


def unused_plug_ins() -> list[str]:
    """A line for each plug-in that has the name of one of the program's systems."""
    return [
        f"system {name!r} of the package {package_of(point)} is not used, because the program has "
        "a system of this name. Give the plug-in another name."
        for name in system_names()
        for point in plug_ins().get(name, [])
    ]


def package_of(point: EntryPoint) -> str:
    """The name of the package that has a plug-in."""
    return point.dist.name if point.dist else point.module


def identity(name: str, root: Path) -> str:
    """A checksum of the code of a user's system: its file, or all files of its package.

    For a plug-in, the version of the package is part of the checksum. The files are those that
    Python imports and the files beside them, so that edits of a package in development are seen
    too. Compiled copies of Python files are left out.

    Args:
        root: the root of the project.

    Raises:
        ConfigError: the file of the system is missing, or no system has this name.
    """
    digest = hashlib.sha256()
    if is_file(name):
        if not (root / name).is_file():
            raise ConfigError(MISSING.format(name=name))
        digest.update((root / name).read_bytes())
        return digest.hexdigest()
    point = plug_in(name)
    digest.update(f"{package_of(point)} {point.dist.version if point.dist else ''}".encode())
    package = importlib.util.find_spec(point.module.partition(".")[0])
    if package is None:
        raise ConfigError(f"the package of the system {name!r} is missing. Install it again.")
    folders = [Path(folder) for folder in package.submodule_search_locations or ()]
    named = {
        str(file.relative_to(folder)): file
        for folder in folders
        for file in folder.rglob("*")
        if file.is_file() and file.suffix != COMPILED
    }
    for relative, file in sorted(named.items()) or [("", Path(str(package.origin)))]:
        digest.update(f"{relative}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()

"""Load the model classes of users' systems, from a Python file or from a plug-in."""

import ast
import hashlib
import importlib.util
import inspect
import re
import sys
import traceback
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from pydantic import PydanticUserError

from ganvae.config import ModelConfig
from ganvae.core.errors import ConfigError
from ganvae.models.base import Family, GenerativeModel
from ganvae.models.own_code import find_file, package_of, plug_in

ONE_FILE = " A model is one file. Install what it shares with other files as a package."
PROGRAM = __name__.partition(".")[0]
UNTYPED = re.compile(r"A non-annotated attribute was detected: `(\w+) = (.*?)`\. All", re.DOTALL)
"""The beginning of pydantic's message on a parameter without a type."""


def from_file(name: str) -> type[GenerativeModel]:
    """Return the model class in the Python file ``name``. The class gets this name.

    The file defines one model. If it defines several, it names one of them as ``MODEL``.

    Raises:
        ConfigError: the file is missing, cannot be imported, or defines no usable model.
    """
    return _load(name, find_file(name))


@cache
def _load(name: str, path: Path) -> type[GenerativeModel]:
    module = _imported(name, path)
    found = [
        value
        for value in dict.fromkeys(filter(inspect.isclass, vars(module).values()))
        if issubclass(value, GenerativeModel) and value.__module__ == module.__name__
    ]
    model = getattr(module, "MODEL", found[0] if len(found) == 1 else None)
    if model is None:
        classes = ", ".join(value.__name__ for value in found)
        raise ConfigError(
            f"{name} defines several models: {classes}. Add the line `MODEL = {found[-1].__name__}`"
            " with the one to use."
            if found
            else f"{name} defines no model. Write a class that derives from GenerativeModel, VAE "
            "or AdamGAN. For a class from a package, add a line such as `MODEL = MyModel`."
        )
    return usable(model, name, name)


def _imported(name: str, path: Path) -> ModuleType:
    """Run a Python file as a module.

    Raises:
        ConfigError: the file raises an exception. The message names the line.
    """
    key = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    spec = importlib.util.spec_from_file_location(f"ganvae_own_{key}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # pydantic and inspect look modules up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[spec.name]
        remedy = _remedy(error, path) if isinstance(error, ImportError) else ""
        raise ConfigError(f"{name} cannot be imported: {fault(error, path)}.{remedy}") from None
    return module


def _remedy(error: ImportError, path: Path) -> str:
    """What to do if the model in the file ``path`` cannot import something."""
    module = (error.name or "").partition(".")[0]  # "" for a relative import
    if not module or {module, f"{module}.py"} & {beside.name for beside in path.parent.iterdir()}:
        return ONE_FILE
    return " Install this module." if isinstance(error, ModuleNotFoundError) else ""


def fault(error: BaseException, path: Path) -> str:
    """The message of an exception, with the last line of a file that led to it."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == str(path):
            line = frame.lineno
    return f"line {line}: {_in_one_line(error)}" if line else _in_one_line(error)


def _in_one_line(error: BaseException) -> str:
    """The type and the text of an exception. For a parameter without a type, what to write."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    if isinstance(error, PydanticUserError):
        text = error.message
        if found := UNTYPED.match(text):
            return f"{found[1]} needs a type: `{found[1]}: {_type_of(found[2])} = {found[2]}`"
    return f"{type(error).__name__}: {' '.join(text.split())}".rstrip(" .:")


def _type_of(text: str) -> str:
    """The name of the type of a value that is given as text."""
    try:
        return type(ast.literal_eval(text)).__name__
    except (SyntaxError, ValueError):
        return "TYPE"


@cache
def from_plug_in(name: str) -> type[GenerativeModel]:
    """Return the model class of the plug-in ``name``. The class gets this name.

    Raises:
        ConfigError: there is no such plug-in, it cannot be imported, or it is no usable model.
    """
    point = plug_in(name)
    where = f"system {name!r} of the package {package_of(point)}"
    try:
        model = point.load()
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{where} cannot be imported: {_in_one_line(error)}.") from None
    return usable(model, name, where)


def usable(model: Any, name: str, where: str) -> type[GenerativeModel]:
    """Check that an object is a complete model class, and return a class with the system's name.

    Args:
        name: the name of the system.
        where: the place of the class, for messages.

    Raises:
        ConfigError: the object is no model class, or lacks a method or an attribute.
    """
    if not (inspect.isclass(model) and issubclass(model, GenerativeModel)):
        raise ConfigError(
            f"{where} gives {model!r}, but a system is a class that derives from "
            "ganvae.models.base.GenerativeModel."
        )
    of = f"{where}: the class {model.__name__}"
    if inspect.isabstract(model):
        methods = ", ".join(sorted(model.__abstractmethods__))
        raise ConfigError(f"{of} lacks these methods: {methods}. Define them.")
    config, base = getattr(model, "config_class", None), _base_of_config(model)
    families = ", ".join(map(repr, get_args(Family)))
    faults = {
        "family": (getattr(model, "family", None) in get_args(Family), f"one of {families}"),
        "source": (isinstance(getattr(model, "source", None), str), "a line on the model's origin"),
        "config_class": (
            inspect.isclass(config) and issubclass(config, base),
            f"a class that derives from {base.__name__} in {base.__module__}",
        ),
    }
    for attribute, (right, needed) in faults.items():
        if not right:
            raise ConfigError(f"{of} needs the attribute {attribute}: {needed}.")
    return _named(model, name)


def _base_of_config(model: type[GenerativeModel]) -> type[ModelConfig]:
    """The class of parameters that the nearest base class of this program works with."""
    for base in model.__mro__:
        config = inspect.get_annotations(base).get("config")
        if _of_program(base) and inspect.isclass(config) and issubclass(config, ModelConfig):
            return config
    return ModelConfig


def _of_program(model: type) -> bool:
    return model.__module__.partition(".")[0] == PROGRAM


def _named(model: type[GenerativeModel], name: str) -> type[GenerativeModel]:
    """Give a class the name of a system.

    Classes of this program, and classes of other systems, keep their names. A subclass of them gets
    the new name.
    """
    if _of_program(model) or model.__dict__.get("name", name) != name:
        kept = {"__module__": model.__module__, "__doc__": model.__doc__}
        return type(model.__name__, (model,), {"name": name, **kept})
    model.name = name
    return model

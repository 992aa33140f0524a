"""The registry of systems (kinds of model).

Each module of `ganvae.models.systems` is a system. Users add systems as files or as plug-ins
(`ganvae.models.own`).
"""

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ganvae.config import ModelConfig, parse
from ganvae.core.seeds import global_seed
from ganvae.models import own, own_code, systems
from ganvae.models.base import GenerativeModel, ImageShape
from ganvae.models.names import system_names as system_names  # part of this module's interface


class TooLargeError(Exception):
    """A weight of a model is larger than any memory."""


def system_class(name: str) -> type[GenerativeModel]:
    """Return the model class of the system ``name``.

    ``name`` is a module of `ganvae.models.systems`, the path of a Python file, or a plug-in. A
    plug-in with the name of a module is not used.

    Raises:
        ConfigError: no system has this name, or the user's system is not usable.
    """
    if name in system_names():
        return _from_module(name)
    return own.from_file(name) if own_code.is_file(name) else own.from_plug_in(name)


def _from_module(name: str) -> type[GenerativeModel]:
    """Return the model class of the module that has the name of the system."""
    module = importlib.import_module(f"{systems.__name__}.{name.replace('-', '_')}")
    system: type[GenerativeModel] = next(
        value
        for _, value in inspect.getmembers(module, inspect.isclass)
        if issubclass(value, GenerativeModel) and value.__dict__.get("name") == name
    )
    return system


def system_config(name: str, values: Mapping[str, Any], where: str | None = None) -> ModelConfig:
    """Check ``values``, a section of params.yaml, and return the parameters of the system ``name``.

    Missing keys take the defaults of the system. ``where`` names the section in error messages.

    Raises:
        ConfigError: the system is unknown, or the system does not allow a key, type or value.
    """
    return parse(system_class(name).config_class, values, where or f"variants.{name}")


def build_model(
    name: str, config: ModelConfig, image_shape: ImageShape, seed: int
) -> GenerativeModel:
    """Build a model of the system ``name``. The same seed gives the same initial weights.

    The weights of convolutions use channels_last memory, which is faster on CPUs and on GPUs.
    """
    with global_seed(seed, "init"):
        model = system_class(name)(config, image_shape)
    for weight in model.parameters():
        if weight.ndim == 4:
            # Module.to does not change weights of one channel, because their strides fit both
            # memory formats. torch then takes the slower format.
            values = weight.detach()
            weight.data = torch.empty_like(values, memory_format=torch.channels_last).copy_(values)
    return model


def shapes(name: str, config: ModelConfig, image_shape: ImageShape) -> dict[str, torch.Size]:
    """The shape of each weight of a model, by the weight's name. No weight is allocated.

    Raises:
        TooLargeError: a weight is larger than any memory.
    """
    try:
        with torch.device("meta"):
            model = system_class(name)(config, image_shape)
    except (RuntimeError, TypeError) as error:
        # torch raises the same exceptions for faults in the code of the model.
        if "overflow" not in str(error).lower():
            raise
        raise TooLargeError from error
    return {key: weight.shape for key, weight in model.state_dict().items()}


def count_parameters(model: nn.Module) -> int:
    """The number of trainable values in a network."""
    return sum(parameter.numel() for parameter in model.parameters())


def source_files(name: str) -> list[Path]:
    """The source files that define the system ``name``: its own module and the shared modules."""
    return [*sorted(Path(__file__).parent.glob("*.py")), Path(inspect.getfile(system_class(name)))]

"""Which models there are: the modules of `ganvae.models.systems`."""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ganvae.config import ModelConfig, parse
from ganvae.core.errors import ConfigError
from ganvae.core.seeds import global_seed
from ganvae.models import systems
from ganvae.models.base import GenerativeModel, ImageShape


def system_names() -> list[str]:
    """The registered names, sorted."""
    modules = pkgutil.iter_modules(systems.__path__)
    return sorted(module.name.replace("_", "-") for module in modules)


def system_class(name: str) -> type[GenerativeModel]:
    """The model called ``name``: the one of that name in the module of that name.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in system_names():
        raise ConfigError(f"system {name!r} is unknown; there are: {', '.join(system_names())}")
    module = importlib.import_module(f"{systems.__name__}.{name.replace('-', '_')}")
    found: type[GenerativeModel] = next(
        value
        for _, value in inspect.getmembers(module, inspect.isclass)
        if issubclass(value, GenerativeModel) and value.__dict__.get("name") == name
    )
    return found


def system_config(name: str, values: Mapping[str, Any], where: str | None = None) -> ModelConfig:
    """Type a model's section of params.yaml; keys not given keep the model's defaults.

    ``where`` is what errors call the section.

    Raises:
        ConfigError: an unknown model, or a key, type or range that the model does not allow.
    """
    return parse(system_class(name).config_class, values, where or f"variants.{name}")


def build_model(
    name: str, config: ModelConfig, image_shape: ImageShape, seed: int
) -> GenerativeModel:
    """Build a model; the same seed gives the same initial weights.

    The weights of its convolutions are in channels_last memory, which is the faster one for them
    on CPUs and GPUs alike.
    """
    with global_seed(seed, "init"):
        model = system_class(name)(config, image_shape)
    for weight in model.parameters():
        if weight.ndim == 4:
            # Not Module.to: it leaves a weight of one channel as it is, whose strides say
            # nothing, and torch then takes the slower memory format.
            values = weight.detach()
            weight.data = torch.empty_like(values, memory_format=torch.channels_last).copy_(values)
    return model


def count_parameters(model: nn.Module) -> int:
    """How many numbers the model learns."""
    return sum(parameter.numel() for parameter in model.parameters())


def source_files(name: str) -> list[Path]:
    """The files that decide how the model called ``name`` behaves: its own and the shared ones."""
    return [*sorted(Path(__file__).parent.glob("*.py")), Path(inspect.getfile(system_class(name)))]

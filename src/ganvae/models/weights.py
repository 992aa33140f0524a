"""A model's weights on disk, with all that it takes to build the model again."""

from pathlib import Path

from ganvae.config import ModelConfig
from ganvae.core.errors import DataError
from ganvae.core.tensors import load_tensors, save_tensors
from ganvae.models.base import GenerativeModel
from ganvae.models.registry import build_model, system_config

FORMAT = 2
"""Raised whenever the same tensors mean another model: 2 flattens images pixel after pixel."""


def save_model(path: Path, model: GenerativeModel, config: ModelConfig, seed: int) -> None:
    """Write a model as safetensors, with its name, image shape, seed and the parameters set.

    Defaults are not named: a new parameter that is off leaves the bytes as they are.
    """
    metadata = {
        "model": model.name,
        "config": config.model_dump(exclude_unset=True),
        "image_shape": model.image_shape,
        "seed": seed,
        "format": FORMAT,
    }
    save_tensors(path, model.state_dict(), metadata)


def load_model(path: Path) -> GenerativeModel:
    """Build the model of a weights file, on the CPU.

    Raises:
        DataError: the file is missing or damaged, or is not that of a model, or of a model that
            has other layers now.
        ConfigError: the file's model is unknown here, or takes other parameters now.
    """
    weights, metadata = load_tensors(path)
    if "model" not in metadata:
        raise DataError(f"{path}: not the weights of a generative model.")
    if metadata.get("format") != FORMAT:
        raise DataError(f"{path}: weights of another version of this program; train it again.")
    config = system_config(metadata["model"], metadata["config"], str(path))
    shape = tuple(metadata["image_shape"])
    model = build_model(metadata["model"], config, shape, metadata["seed"])
    try:
        model.load_state_dict(weights)
    except RuntimeError:
        raise DataError(
            f"{path}: these weights are not those of {metadata['model']} as it is now; "
            "train it again."
        ) from None
    return model

"""Save and load a model's weights, together with the information to rebuild the model."""

from pathlib import Path

from ganvae.config import ModelConfig
from ganvae.core.errors import DataError
from ganvae.core.tensors import load_tensors, save_tensors
from ganvae.models.base import GenerativeModel
from ganvae.models.registry import build_model, system_config

FORMAT = 2
"""Increase this number when the same tensors start to mean a different model.

Since format 2 images are flattened pixel after pixel.
"""


def save_model(path: Path, model: GenerativeModel, config: ModelConfig, seed: int) -> None:
    """Write a model as safetensors, with its system, image shape, seed and explicit parameters.

    Parameters at their defaults are not written, so a new parameter that is off leaves the file
    unchanged.
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
        DataError: the file is missing, damaged, not a model's weights or of another format; or
            the system's layers have changed since.
        ConfigError: the file's system is unknown, or its parameters have changed since.
    """
    weights, metadata = load_tensors(path)
    if "model" not in metadata:
        raise DataError(
            f"{path}: not the weights of a generative model; give a file that a training run wrote."
        )
    if metadata.get("format") != FORMAT:
        raise DataError(
            f"{path}: these weights were written by another version of this program; "
            "train the model again."
        )
    config = system_config(metadata["model"], metadata["config"], str(path))
    shape = tuple(metadata["image_shape"])
    model = build_model(metadata["model"], config, shape, metadata["seed"])
    try:
        model.load_state_dict(weights)
    except RuntimeError:
        raise DataError(
            f"{path}: these weights do not fit the current layers of {metadata['model']}; "
            "train the model again."
        ) from None
    return model

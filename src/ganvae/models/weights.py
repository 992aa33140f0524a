"""Save and load a model's weights, together with the information to rebuild the model."""

from pathlib import Path

from ganvae.config import ModelConfig
from ganvae.core.errors import DataError
from ganvae.core.tensors import load_tensors, save_tensors
from ganvae.models.base import GenerativeModel
from ganvae.models.registry import build_model, system_config

FORMAT = 2
"""The format number of weights files. Increase it when equal tensors mean a different model.

In format 2, images are flattened pixel after pixel.
"""


def save_model(path: Path, model: GenerativeModel, config: ModelConfig, seed: int) -> None:
    """Write a model to a safetensors file, with the information to rebuild the model.

    The information is the system, the image shape, the seed and all parameters that were set
    explicitly. Other parameters are not written. So a new parameter with a default leaves the file
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
    """Build the model that a weights file holds, on the CPU.

    Raises:
        DataError: the file is missing or damaged, has no model's weights, or has another format.
            Or the layers of the system have changed since the file was written.
        ConfigError: the system named in the file is unknown, or no longer allows the parameters
            in the file.
    """
    weights, metadata = load_tensors(path)
    if "model" not in metadata:
        raise DataError(
            f"{path} does not hold the weights of a generative model. "
            "Give a weights file that a training run wrote."
        )
    if metadata.get("format") != FORMAT:
        raise DataError(
            f"{path} was written by another version of this program, which stored weights in "
            "another format. Train the model again."
        )
    config = system_config(metadata["model"], metadata["config"], str(path))
    shape = tuple(metadata["image_shape"])
    model = build_model(metadata["model"], config, shape, metadata["seed"])
    try:
        model.load_state_dict(weights)
    except RuntimeError:
        raise DataError(
            f"{path} holds weights that do not fit the current layers of {metadata['model']}. "
            "Train the model again."
        ) from None
    return model

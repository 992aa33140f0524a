"""Save and load a model's weights, together with the information to rebuild the model."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor

from ganvae.config import ModelConfig
from ganvae.core.errors import DataError
from ganvae.core.records import Record, parse_record
from ganvae.core.tensors import load_tensors, save_tensors
from ganvae.models.base import GenerativeModel, ImageShape
from ganvae.models.own_code import refuse_outside
from ganvae.models.registry import TooLargeError, build_model, shapes, system_config

FORMAT = 2
"""The format of weights files. Increase this number if equal tensors give a different model.

In format 2, images are flattened pixel after pixel.
"""


def round_weights(model: GenerativeModel) -> str | None:
    """Round all weights to 16-bit floats, in place. They stay 32-bit tensors.

    So 16 bits are enough to store exactly the weights that are scored. Tensors of the balance rule
    are not rounded, because only training uses them. Neither are buffers that are too large, such
    as a mask of -1e9.

    Returns:
        The name of a weight that is too large for a 16-bit float, or None. NaN is no such weight.
    """
    weights = dict(model.named_parameters(remove_duplicate=False))
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point() or name.startswith("balance."):
            continue
        rounded = tensor.half().to(tensor.dtype)
        if not bool((rounded.isinf() & ~tensor.isinf()).any()):
            tensor.copy_(rounded)
        elif name in weights:
            return name
    return None


def save_model(path: Path, model: GenerativeModel, config: ModelConfig, seed: int) -> None:
    """Write a model to a safetensors file, with the information to rebuild the model.

    The information is the system, the image shape, the seed and all parameters that were set
    explicitly. Other parameters are not written. So a new parameter with a default leaves the file
    unchanged. Tensors are stored as 16-bit floats wherever this loses nothing.
    """
    tensors = {name: _small(tensor) for name, tensor in model.state_dict().items()}
    metadata = {
        "model": model.name,
        "config": config.model_dump(exclude_unset=True),
        "image_shape": model.image_shape,
        "seed": seed,
        "format": FORMAT,
        "tensors_sha256": _checksum(tensors),
    }
    save_tensors(path, tensors, metadata)


def _small(tensor: Tensor) -> Tensor:
    """Return a copy of a tensor. A float tensor is stored in 16 bits if this changes no value."""
    half = tensor.half() if tensor.is_floating_point() else tensor
    return half if torch.equal(half.to(tensor.dtype), tensor) else tensor.clone()


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        values = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {values.dtype} {[*values.shape]}".encode())
        digest.update(values.numpy().tobytes())
    return digest.hexdigest()


class WeightsRecord(Record):
    """The metadata of a weights file.

    Files of earlier protocols have no ``tensors_sha256``, and their published 16-bit copies have
    ``weights_sha256``.
    """

    model: str
    config: dict[str, Any]
    image_shape: tuple[PositiveInt, PositiveInt, PositiveInt]
    seed: NonNegativeInt
    format: int
    weights_sha256: str | None = None
    tensors_sha256: str | None = None


def load_model(path: Path) -> GenerativeModel:
    """Build the model that a weights file holds, on the CPU.

    Raises:
        DataError: the file is missing or damaged, has no weights of a model, or has another format.
            Also raised if the layers of the system have changed since the file was written, or if
            the file names a Python file outside of the project.
        ConfigError: the system named in the file is unknown, or no longer allows the parameters in
            the file.
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
    record = parse_record(WeightsRecord, metadata, path, "Give a file that a training run wrote.")
    refuse_outside(record.model, path)
    config = system_config(record.model, record.config, str(path))
    if not _fit(weights, record.model, config, record.image_shape):
        raise DataError(
            f"{path} holds weights that do not fit the current layers of {record.model}. "
            "Train the model again."
        )
    if record.tensors_sha256 not in (None, _checksum(weights)):
        raise DataError(
            f"{path} is damaged: its tensors do not have the checksum that the file names. Get the "
            "file again, or train the model again."
        )
    model = build_model(record.model, config, record.image_shape, record.seed)
    model.load_state_dict(weights)
    return model


def _fit(
    weights: Mapping[str, Tensor], system: str, config: ModelConfig, shape: ImageShape
) -> bool:
    """Return whether the weights have the names and shapes that the model needs."""
    try:
        needed = shapes(system, config, shape)
    except TooLargeError:
        return False
    return {name: tensor.shape for name, tensor in weights.items()} == needed

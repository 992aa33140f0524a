"""Trained weights small enough to be kept in git, so that anybody can sample without training."""

from pathlib import Path

import torch
from torch import Tensor

from ganvae.config import Params
from ganvae.errors import ConfigError, UserError
from ganvae.evaluation.records import read_record
from ganvae.files import replacing, sha256
from ganvae.paths import CHECKOUT, ProfilePaths
from ganvae.tensors import load_tensors, save_tensors

PROFILE = "laptop"


def publish(params: Params) -> list[Path]:
    """Write each model's first completed run, in 16-bit floats, to the profile's ``pretrained``.

    The first in the order of ``runs``, not the best. The checksum of the weights that the scores
    were measured with is kept in the file's metadata.

    Raises:
        UserError: a weight is too large for 16 bits.
    """
    paths = ProfilePaths(params.profile)
    published: list[Path] = []
    with replacing(paths.pretrained) as folder:
        folder.mkdir()
        for name in dict.fromkeys(run.model for run in params.runs.values()):
            keys = [key for key, run in params.runs.items() if run.model == name]
            completed = [k for k in keys if read_record(paths.run(k).scores).status == "completed"]
            if completed:
                _publish(paths.run(completed[0]).weights, folder / f"{name}.safetensors")
                published.append(paths.pretrained / f"{name}.safetensors")
    return published


def _publish(weights: Path, target: Path) -> None:
    tensors, metadata = load_tensors(weights)
    halves = {name: _half(name, tensor, weights) for name, tensor in tensors.items()}
    save_tensors(target, halves, metadata | {"weights_sha256": sha256(weights)})


def _half(name: str, tensor: Tensor, weights: Path) -> Tensor:
    if not tensor.is_floating_point() or name.startswith("balance."):  # losses, not weights
        return tensor
    half = tensor.to(torch.float16)
    if not bool(torch.isfinite(half).all()):
        raise UserError(f"{weights}: {name} does not fit into 16-bit floats.")
    return half


def find_weights(model: str) -> Path:
    """A weights file: ``model`` itself, or the one in this clone of the model of that name.

    Raises:
        ConfigError: neither.
    """
    if model.endswith(".safetensors"):
        return Path(model)
    folder = CHECKOUT / ProfilePaths(PROFILE).pretrained
    path = folder / f"{model}.safetensors"
    if not path.exists():
        there = ", ".join(sorted(path.stem for path in folder.glob("*.safetensors"))) or "none"
        raise ConfigError(
            f"no pretrained model {model!r}; there are: {there}. "
            "Or give a weights file, *.safetensors."
        )
    return path

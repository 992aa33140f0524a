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
"""Whose models go by their names alone."""


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
    """A weights file: ``model`` itself, or one in this clone.

    Args:
        model: a file's path, a model's name (of the laptop profile), or ``PROFILE/MODEL``.

    Raises:
        ConfigError: none of these.
    """
    if model.endswith(".safetensors"):
        return Path(model)
    profile, _, name = model.rpartition("/")
    folder = CHECKOUT / ProfilePaths(profile or PROFILE).pretrained
    path = folder / f"{name}.safetensors"
    if not path.exists():
        there = ", ".join(sorted(path.stem for path in folder.glob("*.safetensors"))) or "none"
        others = sorted(found.parent.name for found in CHECKOUT.glob("results/*/pretrained"))
        raise ConfigError(
            f"no pretrained model {model!r}; of profile {profile or PROFILE} there are: {there}. "
            f"Give one of these, PROFILE/MODEL (profiles: {', '.join(others)}), "
            "or a weights file, *.safetensors."
        )
    return path

"""Trained weights small enough to be kept in git, so that anybody can sample without training."""

from pathlib import Path

import torch
from torch import Tensor

from ganvae.config import Params
from ganvae.errors import ConfigError, UserError
from ganvae.evaluation.records import ScoreRecord
from ganvae.files import replacing, sha256, write_json
from ganvae.paths import CHECKOUT, ProfilePaths
from ganvae.report.shown import shown_runs
from ganvae.tensors import load_tensors, save_tensors

PROFILE = "laptop"
"""Whose models go by their names alone."""


def publish(params: Params) -> list[Path]:
    """Write the weights of a run of each model, in 16-bit floats, to the profile's ``pretrained``.

    Of the models that ``params.pretrained`` says and that have a run that completed: the one that
    pages show, so the first, not the best. An index beside the files has the seed of each, and the
    checksum of the weights that its scores were measured with.

    Raises:
        UserError: a weight is too large for 16 bits, or the weights are not those of the scores.
    """
    paths = ProfilePaths(params.profile)
    published: dict[str, ScoreRecord] = {}
    with replacing(paths.pretrained) as folder:
        folder.mkdir()
        for model, run in shown_runs(params).items():
            wanted = params.pretrained == "all" or model in params.finalists
            if wanted and run.status == "completed":
                weights = paths.run(f"{model}-{run.seed}").weights
                _publish(weights, run.provenance.weights_sha256, folder / f"{model}.safetensors")
                published[model] = run
        write_json(folder / "index.json", {m: _origin(run) for m, run in published.items()})
    return [paths.pretrained / f"{model}.safetensors" for model in published]


def _origin(run: ScoreRecord) -> dict[str, int | str | None]:
    return {"seed": run.seed, "weights_sha256": run.provenance.weights_sha256}


def _publish(weights: Path, scored: str | None, target: Path) -> None:
    checksum = sha256(weights)
    if checksum != scored:
        raise UserError(f"{weights}: not the weights that were scored; run `ganvae repro`.")
    tensors, metadata = load_tensors(weights)
    halves = {name: _half(name, tensor, weights) for name, tensor in tensors.items()}
    save_tensors(target, halves, metadata | {"weights_sha256": checksum})


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

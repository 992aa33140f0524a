"""Trained weights small enough to be kept in git, so that anybody can sample without training."""

from pathlib import Path

import torch
from torch import Tensor

from ganvae.config import Params
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import replacing, sha256, write_json
from ganvae.core.paths import CHECKOUT, ProfilePaths
from ganvae.core.tensors import load_tensors, save_tensors
from ganvae.report.shown import shown_runs
from ganvae.scores.records import ScoreRecord

PROFILE = "laptop"
"""Whose models go by their names alone."""


def publish(params: Params) -> list[Path]:
    """Write the weights of a run of each model, in 16-bit floats, to the profile's ``pretrained``.

    Of the models that ``params.pretrained`` says and that have a run that completed: the one that
    pages show, so the first, not the best. An index beside the files has the seed of each, and the
    checksum of the weights that its scores were measured with.

    Raises:
        UserError: a weight is too large for 16 bits, or the weights of the scores are not there.
    """
    paths = ProfilePaths(params.profile)
    runs = {
        model: run
        for model, run in shown_runs(params).items()
        if run.status == "completed" and (params.pretrained == "all" or model in params.finalists)
    }
    weights = {model: paths.run(f"{model}-{run.seed}").weights for model, run in runs.items()}
    for model, path in weights.items():
        _check(path, runs[model].provenance.weights_sha256)
    with replacing(paths.pretrained) as folder:
        folder.mkdir()
        for model, path in weights.items():
            _publish(path, _origin(runs[model]), folder / f"{model}.safetensors")
        write_json(folder / "index.json", {m: _origin(run) for m, run in runs.items()})
    return [paths.pretrained / f"{model}.safetensors" for model in runs]


def _origin(run: ScoreRecord) -> dict[str, int | str | None]:
    return {"seed": run.seed, "weights_sha256": run.provenance.weights_sha256}


def _check(weights: Path, scored: str | None) -> None:
    if not weights.exists():
        raise UserError(f"{weights} is missing: `dvc pull` or `ganvae repro` brings it.")
    if sha256(weights) != scored:
        raise UserError(f"{weights}: not the weights that were scored; run `ganvae repro`.")


def _publish(weights: Path, origin: dict[str, int | str | None], target: Path) -> None:
    tensors, metadata = load_tensors(weights)
    halves = {name: _half(name, tensor, weights) for name, tensor in tensors.items()}
    save_tensors(target, halves, metadata | {"weights_sha256": origin["weights_sha256"]})


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

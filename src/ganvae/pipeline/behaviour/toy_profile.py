"""Write a small profile: splits, a judge of any kind, and training runs with artificial weights.

A judge is a small image classifier whose features the scores use.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch

from ganvae.config import (
    ComputeConfig,
    JudgeNetworkConfig,
    ModelConfig,
    Params,
    parse,
)
from ganvae.core.files import sha256, write_csv, write_json
from ganvae.core.images import grid, write_png
from ganvae.core.paths import ProfilePaths
from ganvae.core.tensors import save_tensors
from ganvae.data.source import LabelledImages
from ganvae.data.splits import Split
from ganvae.data.store import write_split
from ganvae.evaluation.inception import Inception
from ganvae.evaluation.reference import make_reference, write_reference
from ganvae.evaluation.second_judge import second_judge
from ganvae.evaluation.training_set import make_training_set, write_features
from ganvae.evaluation.validation import write_validation
from ganvae.judge.kinds import JudgeKind
from ganvae.judge.network import FrozenJudge, Judge
from ganvae.judge.unlabelled import OUTPUTS
from ganvae.models.base import GenerativeModel, ImageShape
from ganvae.models.registry import build_model, count_parameters
from ganvae.models.weights import save_model
from ganvae.pipeline.behaviour.fixture import CLASSES, drawings, fill, filled, labels

PROFILE = "toy"
SIZES = {"train": 120, "validation": 40, "test": 80}
SEED = 4
KEY = f"model-{SEED}"
FEATURES = 16

EVALUATION = {
    "n_generated": 80,
    "batch_size": 25,
    "inception_score_splits": 2,
    "bootstrap_resamples": 20,
    "half_samples": 20,
    "memorisation_samples": 30,
    "fld_samples": 30,
    "fld_images": 70,
    "inversion": {"images": 4, "restarts": 2, "steps": 6},
    "importance_samples": 4,
}

ANNEALING = {
    "images": 11,  # more than one batch
    "simulated": 2,
    "chains": 2,
    "distributions": 10,
    "leapfrog_steps": 2,
    "variances": [0.01, 0.02, 0.04, 0.08, 0.16, 0.3],
}

TASKS = {
    "damage_weight": 1.0,
    "damaged_share": 0.4,
    "most_blur": 1.5,
    "most_noise": 0.2,
    "strictness": 2.0,
}

Fate = Literal["trained", "broken", "diverged"]
"""The end of a training run: with usable weights, with NaN weights, or with diverged losses."""


def write_profile(
    shape: ImageShape,
    kind: JudgeKind,
    inception: bool = False,
    unlabelled: bool = False,
    model: tuple[str, Mapping[str, Any]] = ("model", {}),
) -> Params:
    """Write the splits, a judge and the reference stage's files below the working directory.

    Args:
        shape: the shape of the images, C x H x W.
        kind: the kind of the judge.
        inception: whether to write an Inception network, too.
        unlabelled: whether to write a second judge, which needs no labels, too.
        model: the system and the parameters of the profile's only training run.

    Returns:
        The profile's parameters.
    """
    paths = ProfilePaths(PROFILE)
    first = 0
    for name, size in SIZES.items():
        images = drawings(size, shape, first)
        data = LabelledImages(images.numpy(), labels(size, first).numpy())
        split = Split(data, torch.arange(first, first + size).numpy(), "train")
        write_split(paths.split(name), name, split, PROFILE, tuple(map(str, range(CLASSES))))
        first += size
    judge = Path("judge.safetensors")
    write_judge(judge, shape, kind)
    further = {
        "inception": write_inception(Path("inception.pt")) if inception else None,
        "unlabelled_judge": write_unlabelled(Path("second.safetensors"), shape)
        if unlabelled
        else None,
    }
    params = _params(judge, further, *model)
    _write_references(params)
    return params


def _params(
    judge: Path, further: Mapping[str, Any], system: str, parameters: Mapping[str, Any]
) -> Params:
    values: dict[str, Any] = {
        "profile": PROFILE,
        "root": ".",
        "file": "params.yaml",
        "promotions": "promoted.yaml",
        "judge": str(judge),
        "data": {
            "dataset": PROFILE,
            "layout": "idx",
            "directory": "raw",
            "train_size": None,
            "validation_size": SIZES["validation"],
            "test_size": None,
            "split_seed": 0,
        },
        "by_class": {"per_class": None},
        "compute": ComputeConfig(device="cpu", threads=1, precision="fp32").model_dump(),
        "evaluation": {**EVALUATION, **further},
        "baselines": {"seeds": [SEED]},
        "annealing": {"runs": [KEY], "settings": ANNEALING},
        "runs": {KEY: {"variant": "model", "system": system, "seed": SEED, "file": "params.yaml"}},
        "variants": {"model": dict(parameters)},
        "pretrained": "all",
    }
    return parse(Params, values, "toy")


def _write_references(params: Params) -> None:
    paths = ProfilePaths(PROFILE)
    judge = FrozenJudge(Path(params.judge))
    settings = params.evaluation.inception
    inception = Inception(settings) if settings else None
    train = make_training_set(paths.split("train"), judge)
    write_features(paths.train_features, train, judge)
    write_validation(paths.validation_features, paths.split("validation"), judge)
    reference = make_reference(
        paths.split("test"),
        train,
        judge,
        params.evaluation,
        inception=inception,
        unlabelled=second_judge(params.evaluation),
    )
    write_reference(paths.reference, reference)


def write_judge(path: Path, shape: ImageShape, kind: JudgeKind) -> None:
    """Write a file with a judge's weights and its card (image shape, kind, classes, network)."""
    own = (1, *shape[1:]) if kind == "channels" else shape
    network: dict[str, Any] = {
        "channels": [6],
        "strides": [4],
        "features": FEATURES,
        "dropout": 0.2,
    }
    judge = Judge(JudgeNetworkConfig(**network), own, CLASSES)
    card: dict[str, Any] = {
        "image_shape": shape,
        "kind": kind,
        "classes": CLASSES ** shape[0] if kind == "channels" else CLASSES,
        "network": network,
    }
    if kind == "channels":
        card["channels_of"] = {"sha256": "", "classes": CLASSES}
    save_tensors(path, filled(judge.state_dict()), card)


def write_unlabelled(path: Path, shape: ImageShape) -> dict[str, str]:
    """Write a judge without labels; return the profile's ``unlabelled_judge`` parameters.

    For colour images, the judge is applied to each channel.
    """
    network: dict[str, Any] = {"channels": [5], "strides": [4], "features": 6, "dropout": 0.2}
    judge = Judge(JudgeNetworkConfig(**network), (1, *shape[1:]), OUTPUTS)
    card = {
        "image_shape": shape,
        "kind": "unlabelled",
        "network": network,
        "tasks": TASKS,
        "each_channel": shape[0] > 1,
    }
    save_tensors(path, filled(judge.state_dict()), card)
    return {"file": str(path), "sha256": sha256(path)}


class _Extractor(torch.nn.Module):
    """A stand-in for an Inception network, with the same interface and two features."""

    def forward(self, images: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        return images.float().mean(dim=[2, 3])[:, :2] * torch.tensor([1.0, 0.5])


def write_inception(path: Path) -> dict[str, str]:
    """Write `_Extractor` as a TorchScript file; return the profile's ``inception`` parameters."""
    torch.jit.script(_Extractor()).save(path)
    return {"file": str(path), "sha256": sha256(path)}


def write_run(system: str, config: ModelConfig, shape: ImageShape, fate: Fate = "trained") -> str:
    """Write artificial weights and an outcome, as training would; return the training run's key."""
    model = build_model(system, config, shape, SEED)
    fill(model)
    if fate == "broken":
        break_weights(model)
    save_model(ProfilePaths(PROFILE).run(KEY).weights, model, config, SEED)
    return write_outcome(model, fate)


def break_weights(model: GenerativeModel) -> None:
    """Set the first row of the model's first parameter to NaN."""
    next(model.parameters()).data[0] = float("nan")


def write_outcome(model: GenerativeModel, fate: Fate) -> str:
    """Write the files that training leaves beside the weights: outcome, history, progress pictures.

    Returns:
        The key of the training run.
    """
    paths = ProfilePaths(PROFILE).run(KEY)
    write_json(
        paths.outcome,
        {
            "variant": "model",
            "system": model.name,
            "family": model.family,
            "seed": SEED,
            "reason": "g_loss was NaN" if fate == "diverged" else None,
            "steps": 12,
            "images_per_step": 10,
            "train_images": SIZES["train"],
            "first_epoch_step": 12,
            "mark_steps": [0, 6],
            "parameters": count_parameters(model),
            "training_precision": "fp32",
        },
    )
    rows = [{"step": step, "epoch": step / 12, "d_loss": 1 / step, "g_loss": step**0.5}
            for step in (4, 8, 12)]  # fmt: skip
    write_csv(paths.history, rows, rows[0])
    for step in (0, 6, 12):
        pixels = grid(drawings(64, model.image_shape, step), 8)
        write_png(paths.progress / f"step-{step:07d}.png", pixels, 2)
    return KEY

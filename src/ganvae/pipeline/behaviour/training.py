"""Record the results of training: losses, weights and pictures of short runs of the real code."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ganvae.config import ComputeConfig
from ganvae.core import compute
from ganvae.core.compute import Machine
from ganvae.core.files import read_json
from ganvae.core.paths import ProfilePaths
from ganvae.core.seeds import generator
from ganvae.core.tensors import load_tensors
from ganvae.models.base import GenerativeModel
from ganvae.models.registry import system_class, system_config
from ganvae.pipeline.behaviour import REVISIONS
from ganvae.pipeline.behaviour.fixture import drawings, sketch
from ganvae.pipeline.behaviour.panel import DEFAULTS, GREY, SMALL, STEPS, Entry, panel
from ganvae.pipeline.behaviour.scoring import in_a_folder
from ganvae.pipeline.behaviour.toy_profile import KEY, write_profile
from ganvae.training.history import Row
from ganvae.training.runs import train_run
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import TrainingResult, train

SEED = 3
IMAGES = 46
OUTCOME = (
    "family",
    "first_epoch_step",
    "images_per_step",
    "images_seen",
    "mark_steps",
    "parameters",
    "seed",
    "status",
    "steps",
    "train_images",
    "training_precision",
)
"""The recorded fields of outcome.json. Settings are left out: stages depend on params.yaml, too."""
ONE_THREAD = ComputeConfig(device="cpu", threads=1, precision="fp32")


class _Stopped(Exception):  # noqa: N818 (nothing went wrong)
    """An exception that ends a training run after its first report, as if it had been killed."""


def start_of_defaults(system: str, work: Path) -> None:
    """Start the training run `DEFAULTS` of a system, and stop it after its first report.

    Args:
        work: the folder that keeps the checkpoint for `rest_of_defaults`.
    """

    def stop(step: int, row: Row, model: GenerativeModel) -> None:
        raise _Stopped

    with contextlib.suppress(_Stopped):
        _run(system, DEFAULTS, work, stop)
    assert (work / "checkpoint.pt").exists()


def rest_of_defaults(system: str, work: Path) -> dict[str, Any]:
    """Resume the training run of `start_of_defaults` from its checkpoint, and record its result.

    Args:
        work: the folder with the checkpoint.
    """
    # The defaults of the parameters that `DEFAULTS` overrides, and therefore does not try.
    config = system_class(system).config_class
    unset = {name: config.model_fields[name].get_default() for name in DEFAULTS.parameters}
    schedule = unset.pop("schedule")
    return {
        "revision": REVISIONS["train"],
        "defaults": unset | {"schedule": schedule.model_dump()},
        "resumed": _described(_run(system, DEFAULTS, work), work),
    }


def options(system: str) -> dict[str, Any]:
    """Return a mapping from each option's name in the panel to the record of its training run.

    The entry ``a whole run`` is the record of `whole_run`.
    """
    recorded: dict[str, Any] = {"a whole run": whole_run(system)}
    for name, entry in panel(system).items():
        with tempfile.TemporaryDirectory() as folder:
            recorded[name] = _described(_run(system, entry, Path(folder)), Path(folder))
    return recorded


def whole_run(system: str) -> dict[str, Any]:
    """Train a small model as the pipeline's train stage does, and record the written files."""
    parameters = {**SMALL.get(system, {}), "schedule": STEPS, "batch_size": 10}
    with in_a_folder():
        params = write_profile(GREY, "classes", model=(system, parameters))
        train_run(params, KEY)
        paths = ProfilePaths(params.profile).run(KEY)
        outcome = read_json(paths.outcome)
        tensors, _ = load_tensors(paths.weights)
        return {
            "outcome": {name: outcome[name] for name in OUTCOME},
            "history": paths.history.read_text().splitlines(),
            "progress": {path.name: _pixels(path) for path in sorted(paths.progress.iterdir())},
            "weights": {name: sketch(value) for name, value in tensors.items()},
        }


def _run(system: str, entry: Entry, work: Path, watch: Any = None) -> TrainingResult:
    compute.use(ONE_THREAD)
    config = system_config(system, entry.parameters)
    images = drawings(IMAGES, entry.shape)
    machine = Machine("cpu", entry.precision)
    return train(RunSpec(system, config, SEED, machine), images, work, watch)


def _described(result: TrainingResult, work: Path) -> dict[str, Any]:
    state = result.model.state_dict()
    return {
        "status": result.status,
        "steps": result.steps,
        "images": [result.images_per_step, result.images_seen],
        "moments": [result.cadence.first_epoch, *result.cadence.marks],
        "losses": [list(row.items()) for row in result.history],
        "weights": {name: sketch(value) for name, value in state.items()},
        "samples": sketch(result.model.sample(6, generator(SEED, "fingerprint"))),
        "pictures": {path.name: _pixels(path) for path in sorted(work.glob("samples/*.png"))},
    }


def _pixels(path: Path) -> list[Any]:
    with Image.open(path) as picture:
        pixels = np.asarray(picture)
    return [list(pixels.shape), *sketch(torch.from_numpy(pixels.copy()))]

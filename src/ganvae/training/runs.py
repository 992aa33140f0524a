"""One training run of a profile, from params.yaml to the files in the results folder.

A profile holds the parameters of one data set's experiments, read from one params.yaml.
"""

import shutil
import time
from contextlib import closing
from pathlib import Path

import torch
from torch import Tensor

from ganvae.config import ModelConfig, Params, RunConfig
from ganvae.core import compute
from ganvae.core.errors import ConfigError
from ganvae.core.files import remove_folder, replacing, sha256, write_csv, write_json
from ganvae.core.live import LiveLog, LiveRun
from ganvae.core.paths import ProfilePaths, RunPaths
from ganvae.core.processor import processor
from ganvae.data.store import read_split
from ganvae.models.base import GenerativeModel
from ganvae.models.own_code import plug_ins
from ganvae.models.registry import count_parameters, system_class, system_config, system_names
from ganvae.models.weights import save_model
from ganvae.training.history import Row
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import TrainingResult, Watch, train

STATE = Path(".state")


def train_run(params: Params, key: str) -> TrainingResult:
    """Perform the training run ``params.runs[key]`` and write its output files.

    An unfinished training run with the same fingerprint (`RunSpec.fingerprint`) is resumed. Other
    unfinished training runs are not touched.

    Raises:
        ConfigError: ``params.runs`` has no ``key``, or a variant's section is invalid. All sections
            are checked before training starts.
    """
    spec = run_spec(params, key)
    paths = ProfilePaths(params.profile)
    data_path = paths.split("train")
    split = read_split(data_path)
    identity = spec.fingerprint(sha256(data_path))
    work = STATE / identity
    live_run = LiveRun(
        profile=params.profile,
        run=key,
        variant=spec.name,
        family=system_class(spec.system).family,
        seed=spec.seed,
        dataset=split.dataset,
        config=spec.config.model_dump(),
        fingerprint=identity,
        started=time.time(),
        samples=str(work / "samples"),
    )
    with closing(LiveLog(Path(), live_run)) as live:
        result = train_into(paths.run(key), spec, split.images, work, watch_into(live))
    remove_folder(work)
    return result


def run_spec(params: Params, key: str) -> RunSpec:
    """Return the training run ``key``, with the device and the precision to use on this machine.

    Raises:
        ConfigError: ``params.runs`` has no ``key``, or a variant's section is invalid.
    """
    run = planned_run(params, key)
    return RunSpec(
        params.system(run.variant),
        model_configs(params)[run.variant],
        run.seed,
        compute.use_to_train(params.compute),
        run.variant,
    )


def planned_run(params: Params, key: str) -> RunConfig:
    """Return the entry of ``params.runs`` with this key.

    Raises:
        ConfigError: ``params.runs`` has no ``key``.
    """
    if key not in params.runs:
        known = ", ".join(params.runs)
        raise ConfigError(f"{params.file} has no run {key!r}. Choose one of these runs: {known}.")
    return params.runs[key]


def system_of(params: Params, variant: str) -> str:
    """The name of a variant's system.

    Raises:
        ConfigError: the variant has no run, and no system has its name.
    """
    system = params.system(variant)
    has_run = any(run.variant == variant for run in params.runs.values())
    if not has_run and system not in (*system_names(), *plug_ins()):
        raise ConfigError(f"{params.file}: variants.{variant} has no run. Add one line under runs.")
    return system


def model_configs(params: Params) -> dict[str, ModelConfig]:
    """A mapping from the name of each variant of a profile to its checked parameters.

    Raises:
        ConfigError: a variant's section is invalid, or a variant has no run.
    """
    return {
        name: system_config(system_of(params, name), section, f"{params.file}: variants.{name}")
        for name, section in params.variants.items()
    }


def watch_into(live: LiveLog) -> Watch:
    """Create a `Watch` (a function called after each report) that appends rows to a live log."""

    def watch(step: int, row: Row, model: GenerativeModel) -> None:
        live.add(row)

    return watch


def train_into(
    paths: RunPaths, spec: RunSpec, images: Tensor, work: Path, watch: Watch | None = None
) -> TrainingResult:
    """Perform a training run and write its output files.

    Args:
        paths: the paths of the output files.
        spec: the training run.
        images: the training set, uint8, N x C x H x W.
        work: a folder for the checkpoint and the sample grids. The caller removes it afterwards.
        watch: a function that `train` calls after each report.
    """
    result = train(spec, images, work, watch)
    save_model(paths.weights, result.model, spec.config, spec.seed)
    columns = result.history[0].keys() if result.history else ["step", "epoch"]
    write_csv(paths.history, result.history, columns)
    with replacing(paths.progress) as temporary:
        shutil.copytree(work / "samples", temporary)
    write_json(paths.timing, _timing(spec, result))
    write_json(paths.outcome, _outcome(spec, result, len(images)))
    return result


def _timing(spec: RunSpec, result: TrainingResult) -> dict[str, object]:
    return {
        "finished": round(time.time()),
        "train_seconds": round(result.seconds, 3),
        "train_cpu_seconds": round(result.cpu_seconds, 3),
        "fit_seconds": round(result.fit_seconds, 3),
        "train_images_per_second": round(result.images_seen / result.seconds, 1),
        "peak_memory_mb": round(compute.peak_memory(spec.machine.device) / 1e6),
        "device": spec.machine.device,
        "threads": torch.get_num_threads(),
        "processor": processor(torch.get_num_threads()),
    }


def _outcome(spec: RunSpec, result: TrainingResult, train_images: int) -> dict[str, object]:
    return {
        "variant": spec.name,
        "system": spec.system,
        "family": result.model.family,
        "seed": spec.seed,
        "status": result.status,
        "reason": result.reason,
        "steps": result.steps,
        "images_seen": result.images_seen,
        "images_per_step": result.images_per_step,
        "train_images": train_images,
        "first_epoch_step": result.cadence.first_epoch,
        "mark_steps": result.cadence.marks,
        "parameters": count_parameters(result.model),
        "training_precision": spec.machine.precision,
        "config": spec.config.model_dump(exclude_unset=True),
    }

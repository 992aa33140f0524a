"""One training run of a profile: from params.yaml to the files in its results folder."""

import hashlib
import json
import shutil
import time
from contextlib import closing
from pathlib import Path

import torch
from torch import Tensor

from ganvae.config import ModelConfig, Params
from ganvae.core import compute
from ganvae.core.compute import Machine
from ganvae.core.errors import ConfigError
from ganvae.core.files import replacing, sha256, write_csv, write_json
from ganvae.core.live import LiveLog, LiveRun
from ganvae.core.paths import CHECKOUT, ProfilePaths, RunPaths
from ganvae.core.tokens import current_token
from ganvae.data.store import read_split
from ganvae.models.base import GenerativeModel
from ganvae.models.registry import count_parameters, model_class, model_config, source_files
from ganvae.models.weights import save_model
from ganvae.training.history import Row
from ganvae.training.trainer import TrainingResult, Watch, train

STATE = Path(".state")


def train_run(params: Params, key: str) -> TrainingResult:
    """Train ``params.runs[key]`` and write its outputs.

    An unfinished earlier attempt with the same parameters, data and code is taken up where it
    stopped; any other is left alone.

    Raises:
        ConfigError: no such run, or a model's section is wrong (all sections are looked at, so
            that a fault in the last one shows before the first is trained).
    """
    if key not in params.runs:
        raise ConfigError(f"run {key!r} is unknown; there are: {', '.join(params.runs)}")
    configs = model_configs(params)
    run = params.runs[key]
    system, config = params.system(run.model), configs[run.model]
    machine = compute.use_to_train(params.compute)
    paths = ProfilePaths(params.profile)
    data_path = paths.split("train")
    split = read_split(data_path)
    identity = fingerprint(system, config, run.seed, sha256(data_path), machine)
    work = STATE / identity
    started = LiveRun(
        profile=params.profile,
        run=key,
        model=run.model,
        family=model_class(system).family,
        seed=run.seed,
        dataset=split.dataset,
        config=config.model_dump(),
        fingerprint=identity,
        started=time.time(),
        samples=str(work / "samples"),
    )
    with closing(LiveLog(Path(), started)) as live:
        result = train_into(
            paths.run(key),
            split.images,
            name=run.model,
            system=system,
            config=config,
            seed=run.seed,
            machine=machine,
            work=work,
            watch=into(live),
        )
    shutil.rmtree(work)
    return result


def into(live: LiveLog) -> Watch:
    """Write each row to a live log."""

    def watch(step: int, row: Row, model: GenerativeModel) -> None:
        live.add(row)

    return watch


def model_configs(params: Params) -> dict[str, ModelConfig]:
    """The typed sections of all of a profile's models."""
    return {
        name: model_config(params.system(name), section, f"{params.file}: models.{name}")
        for name, section in params.models.items()
    }


def train_into(
    paths: RunPaths,
    images: Tensor,
    *,
    name: str,
    system: str,
    config: ModelConfig,
    seed: int,
    machine: Machine,
    work: Path,
    watch: Watch | None = None,
) -> TrainingResult:
    """Train and write a run's files. The state in ``work`` is left for the caller to remove.

    Args:
        images: the training set, uint8, N x C x H x W.
        name: what the run's files call the model: ``system`` or a variant's name.
    """
    result = train(
        system,
        config,
        images,
        seed=seed,
        work=work,
        machine=machine,
        label=f"{name}-{seed}",
        watch=watch,
    )
    _write_outputs(paths, result, name, config, len(images), seed, machine, work)
    return result


def fingerprint(system: str, config: ModelConfig, seed: int, data: str, machine: Machine) -> str:
    """Checksum of all that decides a run's weights: parameters, data, behaviour and numerics.

    ``data`` is the checksum of the training set.
    """
    content = {
        "system": system,
        "config": config.model_dump(exclude_defaults=True),
        "seed": seed,
        "data": data,
        "code": _code(system),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        **machine._asdict(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _code(system: str) -> str | list[str]:
    """What the code does, where that was measured since its last edit; or else its text.

    So a checkpoint survives an edit of a comment.
    """
    module = system.replace("-", "_")
    token = current_token(CHECKOUT, f"train/{module}")
    return token or [sha256(path) for path in code_files(system)]


def code_files(system: str) -> list[Path]:
    """The files whose change can change the weights of a system."""
    room = Path(__file__).parent
    shared = [room.parent / f"core/{name}.py" for name in ("compute", "images", "seeds")]
    return [*source_files(system), *sorted(room.glob("*.py")), *shared]


def _write_outputs(
    paths: RunPaths,
    result: TrainingResult,
    name: str,
    config: ModelConfig,
    train_images: int,
    seed: int,
    machine: Machine,
    work: Path,
) -> None:
    save_model(paths.weights, result.model, config, seed)
    columns = result.history[0].keys() if result.history else ["step", "epoch"]
    write_csv(paths.history, result.history, columns)
    with replacing(paths.progress) as temporary:
        shutil.copytree(work / "samples", temporary)
    write_json(
        paths.timing,
        {
            "finished": round(time.time()),
            "train_seconds": round(result.seconds, 3),
            "train_images_per_second": round(result.images_seen / result.seconds, 1),
            "peak_memory_mb": round(compute.peak_memory(machine.device) / 1e6),
            "device": machine.device,
            "threads": torch.get_num_threads(),
        },
    )
    write_json(
        paths.outcome,
        {
            "model": name,
            "system": result.model.name,
            "family": result.model.family,
            "seed": seed,
            "status": result.status,
            "reason": result.reason,
            "steps": result.steps,
            "images_seen": result.images_seen,
            "images_per_step": result.images_per_step,
            "train_images": train_images,
            "first_epoch_step": result.cadence.first_epoch,
            "mark_steps": result.cadence.marks,
            "parameters": count_parameters(result.model),
            "training_precision": machine.precision,
            "config": config.model_dump(exclude_unset=True),
        },
    )

"""Training one model without a pipeline."""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout
from torch import Tensor

from ganvae.config import DataConfig, InversionConfig, ModelConfig, Schedule, parse
from ganvae.config.profiles import profile_of
from ganvae.core.errors import ConfigError, DataError, UserError
from ganvae.core.paths import CHECKOUT, RunPaths
from ganvae.data.registry import dataset_names, get_dataset
from ganvae.data.source import Source
from ganvae.data.splits import load_source, make_splits, reachable_sizes
from ganvae.data.store import StoredSplit
from ganvae.models.base import ImageShape
from ganvae.models.registry import build_model, system_config
from ganvae.pictures.run import draw_run
from ganvae.training.runs import STATE, train_into
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import TrainingResult

HELD_OUT = 5000  # at most; of a small set, a tenth
HELD_OUT_SHARE = 10
REPORTS = 20  # of a run whose length was given
CADENCES = ("report_every", "sample_every", "checkpoint_every")


def build_config(
    name: str,
    length: Mapping[str, int | None],
    options: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> ModelConfig:
    """The model's defaults with what was given in their place.

    Args:
        length: ``epochs`` or ``steps``; where both are None the model's own schedule holds.
        options: parameters by the names that most models share; None where not given.
        settings: any parameters, by dotted names as in ``balance.ratio``.

    Raises:
        ConfigError: an unknown model, or a parameter that it does not have or allow.
    """
    default = system_config(name, {})
    values = default.model_dump() | {"schedule": _schedule(default.schedule, length)}
    given = {key: value for key, value in options.items() if value is not None}
    if "encoding_dims" in given and "encoding_dims" not in values:
        given["latent_size"] = given.pop("encoding_dims")
    values |= given
    for key, value in settings.items():
        if key in given or (key == "schedule.length" and any(length.values())):
            raise ConfigError(f"{name}.{key} is given twice, by an option and by --set.")
        _set(values, key, value, name)
    return system_config(name, values, name)


def _set(values: dict[str, Any], key: str, value: Any, name: str) -> None:
    *sections, last = key.split(".")
    for section in sections:
        if not isinstance(values.get(section), dict):
            raise ConfigError(f"{name}.{key}: {name} has no section {section!r}.")
        values = values[section]
    values[last] = value


def _schedule(default: Schedule, length: Mapping[str, int | None]) -> dict[str, Any]:
    """The model's own schedule, or a length that was given, with such cadences as fit it."""
    given = {unit: n for unit, n in length.items() if n is not None}
    if not given:
        return default.model_dump()
    if len(given) > 1:
        raise ConfigError("give --epochs or --steps, not both.")
    ((unit, n),) = given.items()
    fits = unit == default.unit and all(mark <= n for mark in default.marks)
    cadences = default.model_dump(include=set(CADENCES))
    for key, every in cadences.items():
        if unit != default.unit or every > n:
            cadences[key] = max(1, n // REPORTS)
    return {"unit": unit, "length": n, **cadences, "marks": default.marks if fits else []}


def follow_closely(name: str, config: ModelConfig, images: Tensor) -> ModelConfig:
    """The same with a schedule of a few epochs in steps: more to see, and to go on from.

    Args:
        images: the training set, N x C x H x W.
    """
    schedule = config.schedule
    if schedule.unit != "epochs" or schedule.length >= REPORTS:
        return config
    shape: ImageShape = tuple(images.shape[1:])  # type: ignore[assignment]
    images_per_step = build_model(name, config, shape, 0).real_images_per_step
    steps = max(1, round(schedule.length * len(images) / images_per_step))
    in_steps = Schedule(
        unit="steps",
        length=steps,
        report_every=max(1, steps // (2 * REPORTS)),
        sample_every=max(1, steps // REPORTS),
        checkpoint_every=max(1, steps // REPORTS),
    )
    return config.model_copy(update={"schedule": in_steps})


def load_images(
    dataset: str,
    directory: Path | None = None,
    train_size: int | None = None,
    image_size: int | None = None,
    channels: int | None = None,
) -> tuple[StoredSplit, StoredSplit]:
    """Training images, and held-out ones: the pipeline's splits. The test images are left alone.

    Args:
        dataset: a registered name, or a folder of class folders.
        directory: where a registered data set's files are; by default in this clone.
        train_size: how many images to train on, drawn as in the pipeline; None takes all.
        image_size, channels: what photos are made of, as in `ganvae.config.DataConfig`.

    Raises:
        ConfigError: no such data set, a size that cannot be met, or images of a data set that
            are not resized.
        DataError: a missing or damaged file, or too few images to divide.
    """
    options = {"size": image_size, "channels": channels, "train_size": train_size}
    sizes = {"validation_size": HELD_OUT, "test_size": None, "split_seed": 0}
    place = _place(dataset, directory)
    config = parse(DataConfig, {"dataset": dataset, **place, **options, **sizes}, "data")
    source = load_source(config)
    splits = make_splits(source, _holding_out(source, config))
    train, held_out = (
        StoredSplit(
            images=torch.from_numpy(splits[name].data.images),
            labels=torch.from_numpy(splits[name].data.labels),
            index=torch.from_numpy(splits[name].index),
            dataset=dataset,
            split=name,
            official_set=splits[name].official_set,
            classes=source.classes,
        )
        for name in ("train", "validation")
    )
    return train, held_out


def _holding_out(source: Source, config: DataConfig) -> DataConfig:
    """The same with the sizes of what is held out: those of the data set's profile.

    So a model is never trained on images that it may be scored on later. Of a set that has no
    profile, or fewer images than that, a tenth each, but as many as there are classes at least:
    fewer cannot be drawn by class.
    """
    if profile := profile_of(config.dataset):
        held_out = {"validation_size", "test_size", "split_seed"}
        sizes = profile.data.model_dump(include=held_out)
        in_train = profile.data.validation_size + (0 if source.test else sizes["test_size"])
        if in_train < len(source.train):
            return config.model_copy(update=sizes)
    _refuse_too_few(source, config.directory)
    share = max(1, len(source.train) // HELD_OUT_SHARE)
    if source.groups is None:
        share = max(share, len(source.classes))
    shares = {
        "validation_size": min(share, max(HELD_OUT, len(source.classes))),
        "test_size": share if source.test is None else None,
    }
    return reachable_sizes(source, config.model_copy(update=shares))


def _refuse_too_few(source: Source, directory: str) -> None:
    """Every split needs an image of every class, or, where images go by groups, a group."""
    splits = ["training", "validation"] + (["test"] if source.test is None else [])
    need = f"{', '.join(splits[:-1])} and {splits[-1]} images are not to overlap"
    if source.groups is not None:
        n = len(np.unique(source.groups))
        if n < len(splits):
            raise DataError(
                f"{directory}: found photos of {n} {'person' if n == 1 else 'people'}; as "
                f"{need} in people, it takes {len(splits)} or more."
            )
        return
    counts = np.bincount(source.train.labels, minlength=len(source.classes))
    for name, n in zip(source.classes, counts.tolist(), strict=True):
        if n < len(splits):
            raise DataError(
                f"{directory}: found {n} {'image' if n == 1 else 'images'} of class {name!r} to "
                f"divide; as {need}, it takes {len(splits)} or more of every class. Add some, or "
                "take the class away."
            )


def _place(dataset: str, directory: Path | None) -> dict[str, str]:
    """How and where a data set's files lie."""
    if dataset in dataset_names():
        registered = get_dataset(dataset)
        where = directory or CHECKOUT / registered.directory
        return {"layout": registered.layout, "directory": str(where)}
    if Path(dataset).is_dir():
        return {"layout": "folders", "directory": dataset}
    raise ConfigError(
        f"dataset {dataset!r} is neither one of {', '.join(dataset_names())} "
        "nor a folder of class folders."
    )


def train_alone(
    spec: RunSpec, train: StoredSplit, held_out: StoredSplit, outdir: Path, *, overwrite: bool
) -> TrainingResult:
    """Train a model and write all files of the run into ``outdir``, its pictures included.

    A run that is stopped resumes from its last checkpoint when it is started again.

    Args:
        held_out: images for the pictures of encoding and reconstruction.
        overwrite: replace the files of an earlier run in ``outdir``.

    Raises:
        UserError: ``outdir`` has an earlier run's files or cannot be written to, or training
            diverged.
    """
    if outdir.exists() and not outdir.is_dir():
        raise UserError(f"--outdir {outdir} is a file: give a folder.")
    paths = RunPaths(outdir, outdir, outdir / "pictures")
    digest = hashlib.sha256(train.images.numpy().tobytes()).hexdigest()
    work = outdir / STATE / spec.fingerprint(digest)
    if not work.exists():  # otherwise the files are those of this very run
        _refuse_to_replace(paths, overwrite)
    with _alone_in(outdir):
        result = train_into(paths, spec, train.images, work)
        draw_run(paths, held_out, train.images, InversionConfig())
        shutil.rmtree(work)
    with suppress(OSError):  # another run's state is there too
        work.parent.rmdir()
    if result.reason:
        raise UserError(
            f"{spec.name} diverged: {result.reason}. Its files are in {outdir}. "
            "Try a lower --learning_rate."
        )
    return result


@contextmanager
def _alone_in(outdir: Path) -> Iterator[None]:
    """Keep a second run out of the folder while this one writes to it."""
    state = outdir / STATE
    lock = FileLock(state / "lock")
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"another run is writing to {outdir}: give another --outdir.") from None
    except OSError as error:
        raise UserError(f"--outdir {outdir}: cannot be written to ({error.strerror}).") from None
    try:
        yield
    finally:
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def _refuse_to_replace(paths: RunPaths, overwrite: bool) -> None:
    """Replace no file unasked; and no folder that is not a run's, even if asked."""
    outputs = (paths.weights, paths.history, paths.timing, paths.progress, paths.pictures)
    there = [path for path in (paths.outcome, *outputs) if path.exists()]
    if not there:
        return
    if not paths.outcome.exists():
        raise UserError(
            f"{there[0]} is in the way, and not from a run of this program: give another --outdir."
        )
    if not overwrite:
        raise UserError(
            f"{paths.outcome} is there already: give another --outdir, or --overwrite to "
            "replace that run."
        )

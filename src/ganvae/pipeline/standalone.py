"""Train one model without the pipeline, for `ganvae train`."""

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

HELD_OUT = 5000  # upper limit of held-out images
HELD_OUT_SHARE = 10  # a small data set holds out one image in this many
REPORTS = 20  # per run, if the user gave the run's length
CADENCES = ("report_every", "sample_every", "checkpoint_every")


def build_config(
    name: str,
    length: Mapping[str, int | None],
    options: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> ModelConfig:
    """Build a system's parameters: the system's defaults, overridden by the given values.

    Args:
        name: a registered system.
        length: a number of ``epochs`` or ``steps``. If both are None, the system's own schedule is
            used.
        options: parameters under the names that most systems share; None means not given.
        settings: any parameters, by dotted names such as ``balance.ratio``.

    Raises:
        ConfigError: the system is unknown, or a parameter is unknown, not allowed or given twice.
    """
    default = system_config(name, {})
    values = default.model_dump() | {"schedule": _schedule(default.schedule, length)}
    given = {key: value for key, value in options.items() if value is not None}
    if "encoding_dims" in given and "encoding_dims" not in values:
        given["latent_size"] = given.pop("encoding_dims")
    values |= given
    for key, value in settings.items():
        if key in given or (key == "schedule.length" and any(length.values())):
            raise ConfigError(
                f"{name}.{key} is given twice, by an option and by --set. Give it once."
            )
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
    """Return the system's own schedule, or a schedule of the given length.

    Intervals in another unit, or longer than the schedule, are replaced by a twentieth of the
    length.
    """
    given = {unit: n for unit, n in length.items() if n is not None}
    if not given:
        return default.model_dump()
    if len(given) > 1:
        raise ConfigError("--epochs and --steps are both given: give only one of them.")
    ((unit, n),) = given.items()
    fits = unit == default.unit and all(mark <= n for mark in default.marks)
    cadences = default.model_dump(include=set(CADENCES))
    for key, every in cadences.items():
        if unit != default.unit or every > n:
            cadences[key] = max(1, n // REPORTS)
    return {"unit": unit, "length": n, **cadences, "marks": default.marks if fits else []}


def follow_closely(name: str, config: ModelConfig, images: Tensor) -> ModelConfig:
    """Convert a schedule of a few epochs to steps, for more reports, samples and checkpoints.

    Args:
        images: the training set, N x C x H x W.

    Returns:
        The parameters with the new schedule. If the schedule is in steps or has at least `REPORTS`
        epochs, ``config`` itself is returned.
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
    """Load the training split and the held-out split, split as in the pipeline.

    The test images are not used.

    Args:
        dataset: a registered data set, or a folder with one subfolder per class.
        directory: the folder of a registered data set; by default its folder in this clone.
        train_size: the number of training images, drawn as in the pipeline; None takes all.
        image_size, channels: the size and the number of channels that photos are converted to, as
            in `ganvae.config.DataConfig`.

    Returns:
        The training split and the held-out (validation) split.

    Raises:
        ConfigError: the data set is unknown, a size cannot be met, or the data set's images cannot
            be resized.
        DataError: a file is missing or damaged, or there are too few images to split.
    """
    options = {"size": image_size, "channels": channels, "train_size": train_size}
    sizes = {"validation_size": HELD_OUT, "test_size": None, "split_seed": 0}
    location = _location(dataset, directory)
    config = parse(DataConfig, {"dataset": dataset, **location, **options, **sizes}, "data")
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
    """Return ``config`` with the sizes of the validation and test splits.

    The sizes come from the data set's profile. So a model is never trained on images that may score
    the model later. Without a profile, or with too few images for the profile, each split gets a
    tenth of the images. Images without groups are drawn by class, so each split gets at least one
    image per class. Validation gets at most `HELD_OUT` images, unless there are more classes.
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
    """Check that every split can get an image of each class or, for grouped images, one group.

    A group is, for example, all photos of one person; no group may be in two splits.

    Raises:
        DataError: a class has too few images, or there are too few groups.
    """
    splits = ["training", "validation"] + (["test"] if source.test is None else [])
    names = f"{', '.join(splits[:-1])} and {splits[-1]}"
    if source.groups is not None:
        n = len(np.unique(source.groups))
        if n < len(splits):
            raise DataError(
                f"{directory}: found photos of {n} {'person' if n == 1 else 'people'}, but the "
                f"{names} splits need photos of at least {len(splits)}: no person may be in two "
                "of them. Add photos of other people."
            )
        return
    counts = np.bincount(source.train.labels, minlength=len(source.classes))
    for name, n in zip(source.classes, counts.tolist(), strict=True):
        if n < len(splits):
            raise DataError(
                f"{directory}: found {n} {'image' if n == 1 else 'images'} of class {name!r}, but "
                f"the {names} splits need at least {len(splits)} of every class. Add images, or "
                "remove the class."
            )


def _location(dataset: str, directory: Path | None) -> dict[str, str]:
    """Return the layout and the folder of a data set's files, as fields of `DataConfig`.

    Raises:
        ConfigError: the data set is neither registered nor a folder.
    """
    if dataset in dataset_names():
        registered = get_dataset(dataset)
        folder = directory or CHECKOUT / registered.directory
        return {"layout": registered.layout, "directory": str(folder)}
    if Path(dataset).is_dir():
        return {"layout": "folders", "directory": dataset}
    raise ConfigError(
        f"dataset {dataset!r} is neither one of {', '.join(dataset_names())} "
        "nor a folder of class folders."
    )


def train_alone(
    spec: RunSpec, train: StoredSplit, held_out: StoredSplit, outdir: Path, *, overwrite: bool
) -> TrainingResult:
    """Train a model and write all files of the training run, including its pictures, to ``outdir``.

    An interrupted training run resumes from its last checkpoint when the command is repeated.

    Args:
        train: the training split.
        held_out: the split whose images are shown in the pictures of encoding and reconstruction.
        overwrite: replace the files of an earlier training run in ``outdir``.

    Raises:
        UserError: ``outdir`` holds other files, cannot be written to or is in use by another
            training run. Or training diverged.
    """
    if outdir.exists() and not outdir.is_dir():
        raise UserError(f"--outdir {outdir} is a file: give a folder.")
    paths = RunPaths(outdir, outdir, outdir / "pictures")
    digest = hashlib.sha256(train.images.numpy().tobytes()).hexdigest()
    work = outdir / STATE / spec.fingerprint(digest)
    if not work.exists():  # otherwise the existing files belong to this run
        _refuse_to_replace(paths, overwrite)
    with _alone_in(outdir):
        result = train_into(paths, spec, train.images, work)
        draw_run(paths, held_out, train.images, InversionConfig())
        shutil.rmtree(work)
    with suppress(OSError):  # the folder is not empty if it holds another run's state
        work.parent.rmdir()
    if result.reason:
        raise UserError(
            f"{spec.name} diverged: {result.reason}. Its files are in {outdir}. "
            "Try a lower --learning_rate."
        )
    return result


@contextmanager
def _alone_in(outdir: Path) -> Iterator[None]:
    """Keep other training runs out of the folder within the block.

    Raises:
        UserError: another training run holds the folder, or the folder cannot be written to.
    """
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
    """Check that no file is overwritten, except a training run's files if ``overwrite`` is true.

    Raises:
        UserError: a file exists and may not be replaced.
    """
    outputs = (paths.weights, paths.history, paths.timing, paths.progress, paths.pictures)
    existing = [path for path in (paths.outcome, *outputs) if path.exists()]
    if not existing:
        return
    if not paths.outcome.exists():
        raise UserError(
            f"{existing[0]} exists, but is not from a run of this program: give another --outdir."
        )
    if not overwrite:
        raise UserError(
            f"{paths.outcome} already exists: give another --outdir, or --overwrite to "
            "replace that run."
        )

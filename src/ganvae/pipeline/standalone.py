"""Train one model without the pipeline, for `ganvae train`."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from torch import Tensor

from ganvae.config import InversionConfig, ModelConfig, Schedule
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import remove_folder
from ganvae.core.paths import RunPaths
from ganvae.data.store import StoredSplit
from ganvae.models.base import shape_of
from ganvae.models.registry import build_model, system_config
from ganvae.models.size import check_size
from ganvae.pictures.run import draw_run
from ganvae.training.runs import STATE, train_into
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import TrainingResult

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
                f"{name}.{key} is given twice, by an option and by --set. Give only one of the two."
            )
        _set(values, key, value, name)
    return system_config(name, values, name)


def _set(values: dict[str, Any], key: str, value: Any, name: str) -> None:
    *sections, last = key.split(".")
    for section in sections:
        if not isinstance(values.get(section), dict):
            raise ConfigError(
                f"{name}.{key}: {name} has no section {section!r}. Correct the name in --set."
            )
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
        raise ConfigError("--epochs and --steps are both given. Give only one of the two options.")
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
    shape = shape_of(images)
    check_size(name, config, shape, name)
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
        raise UserError(f"--outdir {outdir} is a file. Give a folder.")
    paths = RunPaths(outdir, outdir, outdir / "pictures")
    digest = hashlib.sha256(train.images.numpy().tobytes()).hexdigest()
    work = outdir / STATE / spec.fingerprint(digest)
    _refuse_to_replace(paths, work, overwrite)
    with _alone_in(outdir):
        _refuse_to_replace(paths, work, overwrite)  # again: another run may have ended just now
        result = train_into(paths, spec, train.images, work)
        draw_run(paths, held_out, train.images, InversionConfig())
        remove_folder(work)
    if result.reason:
        raise UserError(
            f"{spec.name} diverged: {result.reason}. The files of this run are in {outdir}. "
            "Try a lower --learning_rate."
        )
    return result


@contextmanager
def _alone_in(outdir: Path) -> Iterator[None]:
    """Keep other training runs from writing to the folder inside the `with` block.

    The lock file stays. If it were deleted, two later runs could hold locks of the same name: one
    on the deleted file, and one on a new file.

    Raises:
        UserError: another training run writes to the folder, or the folder cannot be written to.
    """
    state = outdir / STATE
    lock = FileLock(state / "lock")
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"another run is writing to {outdir}. Give another --outdir.") from None
    except OSError as error:
        raise UserError(
            f"--outdir {outdir} cannot be written to ({error.strerror}). Give another folder."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _refuse_to_replace(paths: RunPaths, work: Path, overwrite: bool) -> None:
    """Check that no file is overwritten, except a training run's files if ``overwrite`` is true.

    Args:
        work: the folder of the run's own state. If it exists, the existing files are the run's own.

    Raises:
        UserError: a file exists and may not be replaced.
    """
    outputs = (paths.weights, paths.history, paths.timing, paths.progress, paths.pictures)
    existing = [path for path in (paths.outcome, *outputs) if path.exists()]
    if not existing or work.exists():
        return
    if not paths.outcome.exists():
        raise UserError(
            f"{existing[0]} exists, but is not from a run of this program. Give another --outdir."
        )
    if not overwrite:
        raise UserError(
            f"{paths.outcome} already exists from an earlier run. Give another --outdir, or "
            "replace the earlier run with --overwrite."
        )

"""Read `results/` as `SeedRun` objects, which `projection` can log. This module needs no MLflow."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from ganvae.core.errors import UserError
from ganvae.core.files import read_json
from ganvae.core.paths import NO_PROFILES, ProfilePaths, RunPaths
from ganvae.core.records import parse_record
from ganvae.scores.catalogue import COSTS
from ganvae.scores.records import (
    ScoreRecord,
    ValidationRecord,
    read_record,
    read_records,
    shown_run,
)
from ganvae.tracking.lock import locked_outputs
from ganvae.tracking.names import COUNTS, LEVEL, VALIDATION, loss_metric
from ganvae.tracking.tracked import (
    Input,
    Point,
    SeedRun,
    as_params,
    checksum,
    model_key,
    score_points,
    whole_config,
)

TIMED = [name for name in COSTS if name != "parameters"]
MACHINE = ("device", "threads")
CONTEXTS = {"train": "training", "validation": "validation", "test": "evaluation"}
"""A mapping from the name of a split to its purpose, in MLflow's words."""

DIGEST_LENGTH = 36  # MLflow's limit


def read_runs(root: Path, profile: str | None) -> tuple[list[SeedRun], int]:
    """Read the training runs and baselines of a profile, or of all profiles.

    Args:
        root: the folder that holds ``results`` and ``artifacts``.
        profile: the name of a profile. None for all profiles.

    Returns:
        The training runs with the baselines, and the number of training runs that were left out.
        A training run is left out if its files are incomplete, or if the profile's scores.json does
        not have this training run.

    Raises:
        UserError: the profile has no results, or a file is invalid.
    """
    runs: list[SeedRun] = []
    incomplete = 0
    for name in profiles_with_results(root, profile):
        paths = ProfilePaths(name)
        locked = locked_outputs(root, name)
        compared = _compared(root / paths.results / "scores.json")
        shown = _shown(compared or [])
        for folder in sorted((root / paths.runs).glob("*/")):
            files = _below(root, paths.run(folder.name))
            whole = all(path.exists() for path in (files.outcome, files.scores, files.history))
            if whole and (compared is None or folder.name in map(_name, compared)):
                drawn = _pictures(files, root / paths.pictures, shown.get(folder.name))
                runs.append(_trained(name, folder.name, files, drawn, locked))
            else:
                incomplete += 1
        runs += _baselines(name, root / paths.baselines / "scores.json", locked)
    return runs, incomplete


def _below(root: Path, files: RunPaths) -> RunPaths:
    return RunPaths(root / files.results, root / files.artifacts, root / files.pictures)


def _pictures(files: RunPaths, published: Path, variant: str | None) -> list[Path]:
    """Return the sorted paths of a training run's pictures.

    If no pictures were drawn on this machine, the published pictures of ``variant`` are used.
    """
    folder = published / variant if variant and not files.pictures.is_dir() else files.pictures
    return sorted(folder.glob("*"))


def _name(record: ScoreRecord) -> str:
    return f"{record.variant}-{record.seed}"


def _shown(records: list[ScoreRecord]) -> dict[str, str]:
    """Return a mapping from the name of each shown run to its variant.

    The shown run of a variant is the training run whose pictures are published.
    """
    variants = {record.variant for record in records}
    runs = (shown_run([r for r in records if r.variant == variant]) for variant in variants)
    return {_name(run): run.variant for run in runs}


def profiles_with_results(root: Path, profile: str | None) -> list[str]:
    """Return the profile alone, or all profiles with results if it is None.

    Raises:
        UserError: the profile has no results.
    """
    folders = sorted((root / "results").glob("*/"))
    existing = [path.name for path in folders if path.name not in NO_PROFILES]
    if profile is None:
        return existing
    if profile not in existing:
        known = ", ".join(existing) or "none (`dvc repro` writes results)"
        raise UserError(
            f"profile {profile!r} has no folder results/{profile}. Profiles with results: {known}."
        )
    return [profile]


def _compared(path: Path) -> list[ScoreRecord] | None:
    """Read the records that a profile compares. None if the file does not exist yet."""
    return read_records(path) if path.exists() else None


def _trained(
    profile: str, name: str, files: RunPaths, pictures: list[Path], locked: Mapping[str, str]
) -> SeedRun:
    outcome = read_json(files.outcome)
    measured = read_record(files.scores)
    rows = files.history.read_text(encoding="utf-8").splitlines()
    timing = read_json(files.timing) if files.timing.exists() else {}
    validation = _validation_fid(files.validation)
    md5 = locked.get(str(ProfilePaths(profile).run(name).weights))
    costs = {cost: timing.get(cost) for cost in TIMED}
    scores = measured.scores | costs | {VALIDATION: validation}
    finished = timing.get("finished", files.outcome.stat().st_mtime)
    return SeedRun(
        key=f"{profile}/{name}",
        name=name,
        experiment=measured.provenance.dataset,
        # The digest includes the weights' checksum in the lock. So an MLflow run shows one state of
        # its DVC stage. The stage and the checksum identify this state in MLflow and in DVC.
        digest=checksum(profile, name, measured.model_dump(), outcome, rows, validation, md5),
        started=finished - timing.get("train_seconds", 0.0),
        finished=finished,
        status="FINISHED" if measured.status == "completed" else "FAILED",
        tags={
            **_tags(profile, measured),
            "dvc.stage": f"train@{name}",
            **({"dvc.md5": md5} if md5 else {}),
            **{key: str(timing[key]) for key in MACHINE if key in timing},
        },
        points=[
            *score_points(scores | {count: outcome[count] for count in COUNTS}),
            *_curves(rows),
        ],
        parent=model_key(profile, measured.variant),
        params=as_params(whole_config(outcome.get("system", ""), outcome["config"])),
        progress={int(path.stem.split("-")[1]): path for path in files.progress.glob("step-*.png")},
        pictures=pictures,
        drawn=files.pictures.is_dir(),
        inputs=_inputs(profile, measured, locked),
        profile=profile,
        record=measured.model_copy(update={"scores": scores}),
        weights=files.weights,
    )


def _baselines(profile: str, path: Path, locked: Mapping[str, str]) -> Iterator[SeedRun]:
    """Yield the runs of the baselines floor and ceiling, which are scored but not trained."""
    for record in read_records(path) if path.exists() else []:
        name = f"{record.variant}-{record.seed}"
        finished = path.stat().st_mtime
        yield SeedRun(
            key=f"{profile}/{name}",
            name=name,
            experiment=record.provenance.dataset,
            digest=checksum(profile, name, record.model_dump()),
            started=finished,
            finished=finished,
            status="FINISHED",
            tags=_tags(profile, record),
            points=score_points(record.scores),
            parent=model_key(profile, record.variant),
            inputs=[
                split for split in _inputs(profile, record, locked) if split.context == "evaluation"
            ],
            profile=profile,
            record=record,
        )


def _validation_fid(path: Path) -> float | None:
    """Read FID on the validation split.

    None if the file does not exist, or if the training run diverged.
    """
    if not path.exists():
        return None
    remedy = "Run `dvc repro` to write this file again."
    return parse_record(ValidationRecord, read_json(path), path, remedy).fid_judge


def _inputs(profile: str, record: ScoreRecord, locked: Mapping[str, str]) -> list[Input]:
    """Return the splits with a known checksum.

    Checksums come from ``locked``. The record also has the checksum of the scored split.
    """
    dataset, scored_on = record.provenance.dataset, record.provenance.split
    inputs = []
    for split, context in CONTEXTS.items():
        file = ProfilePaths(profile).split(split)
        digest = locked.get(str(file))
        if digest is None and split == scored_on:
            digest = record.provenance.data_sha256[:DIGEST_LENGTH]
        if digest:
            inputs.append(Input(f"{dataset}-{split}", file, digest, context))
    return inputs


def _tags(profile: str, record: ScoreRecord) -> dict[str, str]:
    """Return the tags of an MLflow run: tags to filter by, and the provenance of the scores."""
    provenance = record.provenance.model_dump(exclude_none=True)
    return {
        LEVEL: "run",
        "profile": profile,
        "variant": record.variant,
        "family": record.family,
        "seed": str(record.seed),
        "status": record.status,
        **({"reason": record.reason} if record.reason else {}),
        "dataset": record.provenance.dataset,
        "data_sha256": record.provenance.data_sha256,
        **{f"provenance.{name}": str(value) for name, value in provenance.items()},
    }


def _curves(text: list[str]) -> Iterator[Point]:
    """Yield a point for each loss at each step, from the lines of a CSV file.

    Empty cells are skipped.
    """
    rows = list(csv.DictReader(text))
    last = max((int(row["step"]) for row in rows), default=0)
    for row in rows:
        step = int(row["step"])
        for name, value in row.items():
            if name not in ("step", "epoch") and value:
                yield Point(loss_metric(name), float(value), step, step / last if last else 1.0)

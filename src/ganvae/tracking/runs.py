"""What `results/` says of each run, in the terms of an experiment tracker; knows no MLflow."""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ganvae.config import flat
from ganvae.errors import UserError
from ganvae.evaluation.records import ScoreRecord, read_record, read_records
from ganvae.files import read_json, sha256
from ganvae.paths import ProfilePaths, RunPaths

COUNTS = ("parameters", "steps", "images_seen")
COSTS = ("train_seconds", "train_images_per_second", "peak_memory_mb")
MACHINE = ("device", "threads")


class Point(NamedTuple):
    """One value of a metric; a score is the only point of its metric, at step 0."""

    name: str
    value: float
    step: int


@dataclass(frozen=True)
class TrackedRun:
    """One training run or baseline of a profile.

    ``finished`` is when its outcome was written on this machine (Unix time) and ``seconds`` how
    long it trained. ``progress`` has the sample grids by step.
    """

    profile: str
    name: str
    record: ScoreRecord
    digest: str
    finished: float
    seconds: float
    tags: Mapping[str, str]
    points: list[Point]
    params: Mapping[str, str] = field(default_factory=dict)
    progress: Mapping[int, Path] = field(default_factory=dict)
    pictures: list[Path] = field(default_factory=list)

    @property
    def key(self) -> str:
        """What stays the same when the run is repeated."""
        return f"{self.profile}/{self.name}"

    @property
    def dataset(self) -> str:
        return self.record.provenance.dataset


def read_runs(root: Path, profile: str | None) -> tuple[list[TrackedRun], int]:
    """Read a profile's runs and baselines, or those of every profile when ``profile`` is None.

    Args:
        root: the folder that holds ``results`` and ``artifacts``.

    Returns:
        The runs, and the number of run folders left out: not evaluated yet, being trained
        again, or no longer among the runs that the profile compares.

    Raises:
        UserError: the profile has no results, or a file is not of the form it should have.
    """
    runs: list[TrackedRun] = []
    incomplete = 0
    for name in _profiles(root, profile):
        paths = ProfilePaths(name)
        compared = _compared(root / paths.results / "scores.json")
        for folder in sorted((root / paths.results / "runs").glob("*/")):
            files = paths.run(folder.name)
            files = RunPaths(root / files.results, root / files.artifacts)
            parts = (files.outcome, files.scores, files.history, files.pictures)
            whole = all(path.exists() for path in parts)
            if whole and (compared is None or folder.name in compared):
                runs.append(_trained(name, folder.name, files))
            else:
                incomplete += 1
        runs += _baselines(name, root / paths.baselines / "scores.json")
    return runs, incomplete


def _profiles(root: Path, profile: str | None) -> list[str]:
    there = sorted(path.name for path in (root / "results").glob("*/"))
    if profile is None:
        return there
    if profile not in there:
        known = ", ".join(there) or "none yet, run `dvc repro`"
        raise UserError(f"profile {profile!r} has no folder in results; there are: {known}")
    return [profile]


def _compared(path: Path) -> set[str] | None:
    """The names of the runs in a profile's comparison; None if there has been none yet."""
    if not path.exists():
        return None
    return {f"{record.model}-{record.seed}" for record in read_records(path)}


def _trained(profile: str, name: str, files: RunPaths) -> TrackedRun:
    outcome = read_json(files.outcome)
    record = read_record(files.scores)
    rows = files.history.read_text(encoding="utf-8").splitlines()
    timing = read_json(files.timing) if files.timing.exists() else {}
    pictures = sorted(files.pictures.glob("*"))
    drawn = {path.name: sha256(path) for path in pictures}
    numbers = {
        **record.scores,
        **{count: outcome[count] for count in COUNTS},
        **{cost: timing.get(cost) for cost in COSTS},
    }
    return TrackedRun(
        profile=profile,
        name=name,
        record=record,
        digest=_digest(profile, name, record.model_dump(), outcome, rows, drawn),
        finished=files.outcome.stat().st_mtime,
        seconds=timing.get("train_seconds", 0.0),
        tags={
            **_tags(profile, record),
            "dvc.stage": f"train@{name}",
            **{key: str(timing[key]) for key in MACHINE if key in timing},
        },
        points=[*_single_points(numbers), *_curves(rows)],
        params={name: _as_text(value) for name, value in flat(outcome["config"])},
        progress={int(path.stem.split("-")[1]): path for path in files.progress.glob("step-*.png")},
        pictures=pictures,
    )


def _baselines(profile: str, path: Path) -> Iterator[TrackedRun]:
    """The floor and the ceiling: scored like models, never trained."""
    for record in read_records(path) if path.exists() else []:
        name = f"{record.model}-{record.seed}"
        yield TrackedRun(
            profile=profile,
            name=name,
            record=record,
            digest=_digest(profile, name, record.model_dump()),
            finished=path.stat().st_mtime,
            seconds=0.0,
            tags=_tags(profile, record),
            points=list(_single_points(record.scores)),
        )


def _digest(*findings: Any) -> str:
    """Checksum of what was found out, however long it took."""
    return hashlib.sha256(json.dumps(findings, sort_keys=True).encode()).hexdigest()


def _tags(profile: str, record: ScoreRecord) -> dict[str, str]:
    """Tags to filter by, and the provenance without which no score travels."""
    provenance = record.provenance.model_dump(exclude_none=True)
    return {
        "profile": profile,
        "model": record.model,
        "family": record.family,
        "seed": str(record.seed),
        "status": record.status,
        **({"reason": record.reason} if record.reason else {}),
        "dataset": record.provenance.dataset,
        "data_sha256": record.provenance.data_sha256,
        **{f"provenance.{name}": str(value) for name, value in provenance.items()},
    }


def _single_points(numbers: Mapping[str, float | None]) -> Iterator[Point]:
    for name, value in numbers.items():
        if value is not None:
            yield Point(name, float(value), 0)


def _curves(rows: list[str]) -> Iterator[Point]:
    """``train/<loss>`` by step; an empty cell is left out."""
    for row in csv.DictReader(rows):
        for name, value in row.items():
            if name not in ("step", "epoch") and value:
                yield Point(f"train/{name}", float(value), int(row["step"]))


def _as_text(value: Any) -> str:
    """A parameter's value as it is; lists, numbers, booleans and null as JSON."""
    return value if isinstance(value, str) else json.dumps(value)

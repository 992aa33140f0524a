"""The content of one MLflow run, as plain data. This module needs no MLflow."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ganvae.config import flat
from ganvae.core.files import read_json
from ganvae.core.paths import checkout_root
from ganvae.core.tokens import record_path
from ganvae.scores.catalogue import SCORES
from ganvae.scores.records import ScoreRecord
from ganvae.tracking.names import COUNTS, CPU_COSTS, VALIDATION, metric

Status = Literal["FINISHED", "FAILED", "KILLED"]


class Point(NamedTuple):
    """One value of a metric. A score has a single point, at step 0.

    ``share`` is the fraction of the run's time, in [0, 1], that had passed at the measurement.
    """

    name: str
    value: float
    step: int = 0
    share: float = 1.0


class Input(NamedTuple):
    """A split of a data set that a run used: the split's name, file, checksum and purpose."""

    name: str
    file: Path
    digest: str
    context: str


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """The content of one MLflow run.

    Attributes:
        key: a name that stays the same when the training run is repeated.
        experiment: the name of the MLflow experiment.
        digest: a checksum of the results. Other results have another checksum.
        started, finished: Unix times in seconds.
        points: the values of all metrics.
        parent: the key of the parent run, in which this run is nested in MLflow. None if this run
            is not nested.
        params: a mapping from dotted parameter name to value.
        progress: a mapping from training step to the path of a sample grid.
        pictures: the paths of pictures.
        drawn: whether ``pictures`` were drawn on this machine. False for published pictures.
        inputs: the splits that the run used.
    """

    key: str
    name: str
    experiment: str
    digest: str
    started: float
    finished: float
    status: Status
    tags: Mapping[str, str]
    points: list[Point]
    parent: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    progress: Mapping[int, Path] = field(default_factory=dict)
    pictures: list[Path] = field(default_factory=list)
    drawn: bool = False
    inputs: list[Input] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class SeedRun(TrackedRun):
    """The MLflow run of one training run of a variant, or of one baseline.

    For a training run, the scores in ``record`` include the training costs and FID on the
    validation split. ``weights`` is the path of the weights file, None for a baseline.
    """

    profile: str
    record: ScoreRecord
    weights: Path | None = None


def checksum(*findings: Any) -> str:
    """Return the SHA-256 checksum of values that JSON can represent."""
    return hashlib.sha256(json.dumps(findings, sort_keys=True).encode()).hexdigest()


def whole_config(system: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return nested parameters, with the system's defaults for parameters that ``config`` lacks.

    The defaults come from a JSON file, the last record of the systems' behaviour. Importing the
    code of the systems instead would take seconds. Without the file, no defaults are added.
    """
    path = checkout_root() / record_path("systems")
    defaults = read_json(path)["behaviour"].get(system, {}) if path.exists() else {}
    return _over(defaults.get("defaults", {}), config)


def _over(defaults: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    merged = defaults | given
    for key, value in defaults.items():
        if isinstance(value, dict) and isinstance(given.get(key), dict):
            merged[key] = _over(value, given[key])
    return merged


def as_params(values: Mapping[str, Any]) -> dict[str, str]:
    """Convert nested parameters to a mapping from dotted name to text.

    Lists, numbers, booleans and null become JSON texts.
    """
    return {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in flat(values)
    }


def score_points(scores: Mapping[str, float | None]) -> list[Point]:
    """Return one point per score. Scores that are null or have an unknown name are left out."""
    known = SCORES.keys() | {VALIDATION, *COUNTS, *CPU_COSTS}
    return [
        Point(metric(name), float(value))
        for name, value in scores.items()
        if value is not None and name in known
    ]


def model_key(profile: str, variant: str) -> str:
    """Return the key of a variant's parent run in MLflow.

    The variant's training runs are nested in the parent run.
    """
    return f"{profile}/model/{variant}"

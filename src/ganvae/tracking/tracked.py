"""The content of one run in an experiment tracker; imports no MLflow."""

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
from ganvae.tracking.names import COUNTS, VALIDATION, metric

Status = Literal["FINISHED", "FAILED", "KILLED"]


class Point(NamedTuple):
    """One value of a metric. A score has a single point, at step 0.

    ``share`` is the fraction of the run, in [0, 1], that was over when the value was measured.
    """

    name: str
    value: float
    step: int = 0
    share: float = 1.0


class Input(NamedTuple):
    """A split of a data set that a run used: its name, file, checksum and purpose."""

    name: str
    file: Path
    digest: str
    context: str


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """The content of one run in MLflow.

    ``key`` stays the same when the run is repeated. ``digest`` stays the same only if the results
    do. ``parent`` is the key of the run that this run is nested in. ``started`` and ``finished``
    are Unix times in seconds. ``progress`` holds the sample grids by step. ``drawn`` is true if the
    pictures were drawn on this machine, and false if they are the few published ones.
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
    """One training run of a variant, or one baseline.

    The scores of ``record`` include the training times and FID on the validation split.
    ``weights`` is None for a baseline.
    """

    profile: str
    record: ScoreRecord
    weights: Path | None = None


def checksum(*findings: Any) -> str:
    """The SHA-256 checksum of values that JSON can represent."""
    return hashlib.sha256(json.dumps(findings, sort_keys=True).encode()).hexdigest()


def whole_config(system: str, config: dict[str, Any]) -> dict[str, Any]:
    """The run's parameters, with the system's defaults for all parameters that were not set.

    The defaults come from the last record of the systems, because importing the code takes seconds.
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
    """Nested parameters by dotted name; lists, numbers, booleans and null as JSON."""
    return {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in flat(values)
    }


def score_points(scores: Mapping[str, float | None]) -> list[Point]:
    """One point per score, without nulls and unknown names."""
    known = SCORES.keys() | {VALIDATION, *COUNTS}
    return [
        Point(metric(name), float(value))
        for name, value in scores.items()
        if value is not None and name in known
    ]


def model_key(profile: str, variant: str) -> str:
    """The key of the run that a variant's runs are nested in."""
    return f"{profile}/model/{variant}"

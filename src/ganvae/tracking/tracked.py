"""What one run in an experiment tracker shows; knows no MLflow."""

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
    """One value of a metric; a score is the only point of its metric, at step 0.

    ``share``: how much of the run, in [0, 1], was over when it was measured.
    """

    name: str
    value: float
    step: int = 0
    share: float = 1.0


class Input(NamedTuple):
    """A split of a data set that a run saw: its file, its checksum, and what it served for."""

    name: str
    file: Path
    digest: str
    context: str


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """What one run in MLflow shows.

    ``key`` stays the same when the run is repeated, ``digest`` does so only if it shows the same;
    ``parent`` is the key of the run that it is nested in. ``started`` and ``finished`` are in Unix
    time. ``progress`` has the sample grids by step; ``drawn``: its pictures were drawn here, and
    are not the few that are published.
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
    """One training of a model, or one baseline.

    ``record`` has its training times and its FID on the validation split among its scores;
    ``weights`` is null for a baseline.
    """

    profile: str
    record: ScoreRecord
    weights: Path | None = None


def checksum(*findings: Any) -> str:
    """Checksum of what was found out, however long it took; anything that JSON can hold."""
    return hashlib.sha256(json.dumps(findings, sort_keys=True).encode()).hexdigest()


def whole_config(system: str, config: dict[str, Any]) -> dict[str, Any]:
    """The parameters that were set, over the system's defaults, which records do not name.

    The defaults are those that were written down last, since to ask the code takes seconds.
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
    """One point per score; nulls are left out, and so are scores of no known name."""
    known = SCORES.keys() | {VALIDATION, *COUNTS}
    return [
        Point(metric(name), float(value))
        for name, value in scores.items()
        if value is not None and name in known
    ]


def model_key(profile: str, model: str) -> str:
    """The key of the run that a model's runs are nested in."""
    return f"{profile}/model/{model}"

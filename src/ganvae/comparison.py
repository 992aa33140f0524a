"""From score records to a leaderboard: means over seeds with 95 % intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from scipy import stats

from ganvae.config import ModelConfig, Params, flat
from ganvae.errors import UserError
from ganvae.evaluation.records import SCORE_NAMES, ScoreRecord, read_record, read_records
from ganvae.files import read_json
from ganvae.models.registry import model_config
from ganvae.paths import ProfilePaths

RANKED_BY = "fid_judge"
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over training seeds; ``margin`` is half the 95 % interval, None for one seed."""

    mean: float
    margin: float | None
    n: int


@dataclass(frozen=True)
class Row:
    """One model of a leaderboard. A score that no seed has is absent from ``scores``."""

    model: str
    family: str
    scores: dict[str, Estimate]
    completed: int
    diverged: int
    steps: int | None


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and Student's t interval of independent runs (n - 1 degrees of freedom)."""
    n = len(values)
    mean = float(np.mean(values))
    if n < 2:
        return Estimate(mean, None, n)
    t = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)
    return Estimate(mean, float(t * np.std(values, ddof=1) / math.sqrt(n)), n)


def collect_records(params: Params) -> list[ScoreRecord]:
    """The profile's records, baselines first, each run's with its training times."""
    paths = ProfilePaths(params.profile)
    records = read_records(paths.baselines / "scores.json")
    for key in params.runs:
        record = read_record(paths.run(key).scores)
        timing = read_json(paths.run(key).timing)
        times = {name: timing[name] for name in timing if name in SCORE_NAMES}
        records.append(record.model_copy(update={"scores": record.scores | times}))
    return records


Departures = dict[str, tuple[Any, Any]]
"""By dotted name: what a profile sets a parameter to, and the model's default."""


def departures(params: Params) -> dict[str, Departures]:
    """By model, the parameters that decide its weights and are not at the model's defaults."""
    changed = {}
    for name, section in params.models.items():
        system = params.system(name)
        given = _settings(model_config(system, section))
        defaults = _settings(model_config(system, {}))
        changed[name] = {
            key: (value, defaults[key]) for key, value in given.items() if value != defaults[key]
        }
    return changed


def _settings(config: ModelConfig) -> dict[str, Any]:
    """Parameters by dotted name; of the schedule its length alone, the rest is for the log."""
    schedule = f"{config.schedule.length} {config.schedule.unit}"
    return dict(flat(config.model_dump() | {"schedule": schedule}))


def leaderboard(records: Sequence[ScoreRecord]) -> list[Row]:
    """One row a model: the floor, then models from best to worst FID, then the ceiling.

    Diverged runs are counted and enter no mean; a model without a score comes last.

    Raises:
        UserError: records that were measured in different ways.
    """
    if len({record.provenance.ranking for record in records}) > 1:
        raise UserError(
            "these records differ in protocol version, data, split, judge, number of images or "
            "evaluation settings: they cannot stand in one ranking. Run `dvc repro` so that all "
            "are measured alike."
        )
    by_model = sorted(records, key=lambda record: record.model)
    rows = [_row(list(group)) for _, group in groupby(by_model, key=lambda r: r.model)]
    return sorted(rows, key=_rank)


def _row(records: list[ScoreRecord]) -> Row:
    completed = [record for record in records if record.status == "completed"]
    scores = {}
    for name in SCORE_NAMES:
        values = [value for r in completed if (value := r.scores.get(name)) is not None]
        if values:
            scores[name] = estimate(values)
    return Row(
        model=records[0].model,
        family=records[0].family,
        scores=scores,
        completed=len(completed),
        diverged=len(records) - len(completed),
        steps=(completed or records)[0].provenance.training_steps,
    )


def _rank(row: Row) -> tuple[int, float]:
    group = {"floor": 0, "ceiling": 2}.get(row.model, 1)
    score = row.scores.get(RANKED_BY)
    return group, score.mean if score else math.inf

"""Sentences and a table on the selection of a match: the candidates and the finalist."""

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from ganvae.report.matches import Table
from ganvae.report.numbers import fixed, listed, percent, significant
from ganvae.report.sweep_text import value_text
from ganvae.scores.matches import TOLERANCE, Family, MatchRecord, TrainedRecord
from ganvae.scores.selection import best_trials, finalist, means, rule_of

END = 0.05
"""A parameter is near an end of its range within this share of the range."""
FEW = 5
"""The width of a range of whole numbers from which on it has a middle."""


def candidates(
    record: MatchRecord,
    search: Sequence[TrainedRecord],
    selection: Sequence[TrainedRecord],
    family: Family,
) -> Table:
    """A table of a family's best trials with their FIDs from the seeds of the selection."""
    rule = rule_of(record)
    trials, found = best_trials(rule, search, family), means(rule, selection, family)
    fids = {(s.trial, s.seed): s.fid_judge for s in selection if s.family == family}
    second = _second_means(selection, family)
    rows = [
        [
            str(trial.trial),
            f"`{trial.system}`",
            significant(trial.fid_judge or 0.0),
            *(_fid(fids.get((trial.trial, seed))) for seed in rule.seeds),
            _fid(found.get(trial.trial)),
            second.get(trial.trial, ""),
            fixed(trial.cpu_seconds, 0),
            fixed(trial.sampling_seconds or 0.0, 2),
        ]
        for trial in trials
    ]
    heads = ["trial", "system", "FID in the search", *(f"seed {seed}" for seed in rule.seeds)]
    costs = ["CPU-seconds in the search", "CPU-seconds per 1,000 samples"]
    return [*heads, "mean", "mean, second judge", *costs], rows


def _second_means(selection: Sequence[TrainedRecord], family: Family) -> dict[int, str]:
    """Return the mean FID of each candidate by the second judge, where it scored all seeds."""
    by_trial: dict[int, list[float | None]] = {}
    for record in selection:
        if record.family == family:
            by_trial.setdefault(record.trial, []).append(record.fid_unlabelled)
    return {
        trial: significant(fmean(fid for fid in fids if fid is not None))
        for trial, fids in by_trial.items()
        if None not in fids
    }


def excluded_text(record: MatchRecord, search: Sequence[TrainedRecord], family: Family) -> str:
    """A sentence on trials that would be candidates, but took too long; "" if there are none."""
    trials = best_trials(rule_of(record), search, family)
    full = len(trials) == rule_of(record).best
    worst = max(t.fid_judge or 0.0 for t in trials) if full else math.inf
    missed = [
        f"trial {t.trial} (FID {significant(fid)}, {fixed(t.cpu_seconds, 1)} CPU-seconds)"
        for fid, t in sorted(_late(search, family), key=lambda late: late[0])
        if fid < worst
    ]
    if not missed:
        return ""
    return (
        f"Not among the candidates, since they took over {percent(TOLERANCE)} more than their "
        f"CPU-seconds: {listed(missed)}."
    )


def _late(search: Sequence[TrainedRecord], family: Family) -> list[tuple[float, TrainedRecord]]:
    """Return the trials of a family that took too long to be candidates, each with its FID."""
    return [
        (trial.fid_judge, trial)
        for trial in search
        if trial.family == family and trial.fid_judge is not None and not trial.selectable
    ]


def _fid(value: float | None) -> str:
    return "diverged" if value is None or value == float("inf") else significant(value)


def winner_text(
    record: MatchRecord,
    search: Sequence[TrainedRecord],
    selection: Sequence[TrainedRecord],
    family: Family,
) -> str:
    """A sentence that names a family's finalist and its parameters."""
    trial, mean = finalist(rule_of(record), search, selection, family)
    values = [f"`{name}` {value_text(value)}" for name, value in trial.parameters.items()]
    return (
        f"The {family.upper()} finalist is trial {trial.trial}, a `{trial.system}` with a mean FID "
        f"of {significant(mean)}. It trains for {trial.steps:,} steps. Its parameters are "
        f"{listed(values)}.{_at_ends(record, trial)}"
    )


def _at_ends(record: MatchRecord, trial: TrainedRecord) -> str:
    """A sentence on the parameters that are near an end of their range; "" if there are none."""
    space = record.content["families"][trial.family]
    ranges = space.get("parameters", {}) | space["systems"][trial.system]
    names = [f"`{n}`" for n, value in trial.parameters.items() if _near_an_end(ranges[n], value)]
    return f" Near an end of their ranges: {listed(names)}." if names else ""


def _near_an_end(values: dict[str, Any], value: Any) -> bool:
    """Whether a value is within `END` of an end of its range, on the scale of the range.

    A range with few whole numbers has hardly a middle, so no value of it counts.
    """
    if "low" not in values or not isinstance(value, int | float):
        return False
    if isinstance(values["low"], int) and values["high"] - values["low"] < FEW:
        return False
    scale = math.log if values.get("log") else float
    low, high = scale(values["low"]), scale(values["high"])
    place = (scale(value) - low) / (high - low)
    return not END < place < 1 - END

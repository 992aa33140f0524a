"""Records of toy studies, with four parameters. One of them can be off."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ganvae.report.sweep_effects import Contrast, Effect, EffectsRecord, Measured, Relation
from ganvae.scores.studies import StudyRecord, TrialRecord

RANGES: dict[str, Any] = {
    "beta_1": {"low": 0.0, "high": 0.9},
    "batch_size": {"choices": [16, 32, 64]},
    "learning_rate_decay": {"choices": ["none", "linear"]},
    "balance.ratio": {"low": 1.0, "high": 16.0, "log": True, "or_off": True},
}
START = 1_700_000_000.0
Changes = dict[str, Any]


def trial(number: int, fid: float | None = None, **changes: Any) -> TrialRecord:
    """A completed trial, or, without FID, a trial that was pruned at its first check."""
    result: Changes = {"status": "pruned", "curve": {250: 80.0 + number}}
    if fid is not None:
        result = {
            "status": "completed",
            "values": [fid],
            "seeds": {100: fid - 1, 101: fid + 1},
            "curve": {250: 2 * fid, 500: 1.5 * fid},
            "seconds": 60.0,
        }
    fields: Changes = {
        "number": number,
        "parameters": drawn(np.random.default_rng(number)),
        "started": START + 100 * number,
        "finished": START + 100 * number + 90,
    }
    return TrialRecord(**fields | result | changes)


def drawn(rng: np.random.Generator) -> Changes:
    """Parameters drawn uniformly from `RANGES`."""
    return {
        "beta_1": float(rng.uniform(0, 0.9)),
        "batch_size": int(rng.choice([16, 32, 64])),
        "learning_rate_decay": str(rng.choice(["none", "linear"])),
        "balance.ratio": float(16 ** rng.uniform()) if rng.random() < 0.5 else None,
    }


def study(trials: list[TrialRecord], **changes: Any) -> StudyRecord:
    """A study of vanilla-gan with these trials."""
    fields: Changes = {
        "study": "toy",
        "space": "toy-space",
        "variant": "vanilla-gan",
        "system": "vanilla-gan",
        "family": "gan",
        "profile": "toy",
        "dataset": "stripes",
        "objectives": ["fid_judge"],
        "seeds": [100, 101],
        "n_generated": 5000,
        "budget": "steps",
        "base": {},
        "parameters": RANGES,
        "pruner": {"by": "curve", "name": "median", "checks": [0.25, 0.5]},
        "train_sha256": "1",
        "validation_sha256": "2",
        "judge_sha256": "3",
        "trials": trials,
    }
    return StudyRecord(**fields | changes)


def searched(
    n: int, fid: Callable[[Changes], float], noise: float = 1.0, **changes: Any
) -> StudyRecord:
    """A study of ``n`` scored trials. FID is a function of their parameters, plus noise."""
    rng = np.random.default_rng(1)
    trials = []
    for number in range(n):
        parameters = drawn(rng)
        value = fid(parameters) + noise * float(rng.normal())
        trials.append(trial(number, value, parameters=parameters, current=number == 0))
    return study(trials, **changes)


def effects_of_toy() -> EffectsRecord:
    """Effects of a toy study. One parameter has an effect, and the other has none."""
    shown = Measured(value=0.6, low=0.3, high=0.8, n=20)
    absent = Measured(value=0.1, low=-0.3, high=0.5, n=20)
    sides: Changes = {"first": "on", "second": "off", "n_first": 12, "n_second": 8}
    contrast = Contrast(
        **sides, median_first=20, median_second=25, shift=-5, low=-8, high=-2, p=0.003
    )
    return EffectsRecord(
        study="toy",
        n_scored=20,
        n_early=20,
        effects=[
            Effect(
                parameter=name,
                ordered=True,
                importance=absent,
                scored=Relation(correlation=correlation, contrasts=contrasts),
                early=Relation(correlation=correlation, contrasts=contrasts),
            )
            for name, correlation, contrasts in (
                ("beta_1", shown, []),
                ("balance.ratio", absent, [contrast]),
            )
        ],
    )

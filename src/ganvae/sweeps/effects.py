"""Estimate the effect of each parameter on FID in a study's trials, with its uncertainty."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.importance import get_param_importances
from optuna.trial import FrozenTrial, create_trial
from scipy import stats

from ganvae.report.sweep_effects import (
    LEAST_TRIALS,
    Contrast,
    Effect,
    EffectsRecord,
    Measured,
    Relation,
)
from ganvae.scores.statistics import rank_test
from ganvae.scores.studies import StudyRecord, TrialRecord
from ganvae.sweeps.space import Range
from ganvae.sweeps.study import PER_MILLE, switch

CONFIDENCE = 0.95
RESAMPLES = 9999
RESAMPLES_OF_IMPORTANCE = 200  # each takes about 50 ms
Tried = list[tuple[Any, float]]
"""A list of pairs, one pair per trial: a parameter's value, and the trial's FID."""


def effects_of(record: StudyRecord) -> EffectsRecord:
    """Return the effects of all parameters of a study on FID, the study's first objective.

    Equal records give equal numbers.
    """
    scores = {trial.number: trial.values[0] for trial in record.scored}
    checks = {trial.number: first_check(record, trial) for trial in record.trials}
    early = {number: fid for number, fid in checks.items() if fid is not None}
    importances = _importances(record)
    return EffectsRecord(
        study=record.study,
        n_scored=len(record.scored),
        n_early=len(early),
        effects=[
            Effect(
                parameter=name,
                ordered=is_ordered(range_),
                importance=importances.get(name),
                scored=_relation(_tried(record, name, scores), range_),
                early=_relation(_tried(record, name, early), range_),
            )
            for name, range_ in ranges_of(record).items()
        ],
    )


def ranges_of(record: StudyRecord) -> dict[str, Range]:
    """Return the ranges that the study searched, by the parameter's dotted name."""
    return {name: Range.model_validate(range_) for name, range_ in record.parameters.items()}


def first_check(record: StudyRecord, trial: TrialRecord) -> float | None:
    """Return FID of the trial's first seed at the pruner's first check; None without a check."""
    pruner = record.pruner
    if pruner is None:
        return None
    if pruner["by"] == "seed":
        return trial.seeds.get(record.seeds[0])
    return trial.curve.get(round(pruner["checks"][0] * PER_MILLE))


def is_ordered(range_: Range) -> bool:
    """Return whether all values of a range are numbers. Null, which means "off", is ignored."""
    values = [value for value in range_.ends() if value is not None]
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _tried(record: StudyRecord, name: str, fids: Mapping[int, float]) -> Tried:
    return [
        (trial.parameters[name], fids[trial.number])
        for trial in record.trials
        if trial.number in fids and name in trial.parameters
    ]


def _relation(tried: Tried, range_: Range) -> Relation:
    return Relation(
        correlation=_correlation(tried, range_), contrasts=list(_contrasts(tried, range_))
    )


def _correlation(tried: Tried, range_: Range) -> Measured | None:
    """Return Spearman's rank correlation of a parameter's values with FID.

    The interval is a percentile bootstrap interval over trials. Trials in which the parameter is
    off are left out. The result is None if the values have no order, are all equal, or belong to
    too few trials.
    """
    if not is_ordered(range_):
        return None
    pairs = [(float(value), fid) for value, fid in tried if value is not None]
    if len(pairs) < LEAST_TRIALS or len({value for value, _ in pairs}) == 1:
        return None
    values, fids = np.array(pairs).T
    interval = stats.bootstrap(
        (values, fids),
        _spearman,
        paired=True,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Measured(
        value=float(_spearman(values, fids)),
        low=float(interval.low),
        high=float(interval.high),
        n=len(pairs),
    )


def _spearman(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return the rank correlation of ``a`` and ``b`` along an axis.

    The correlation is 0 if ``a`` or ``b`` is constant, as in some resamples.
    """
    ranks = [stats.rankdata(side, axis=axis) for side in (a, b)]
    x, y = (side - side.mean(axis=axis, keepdims=True) for side in ranks)
    scale = np.sqrt((x * x).sum(axis=axis) * (y * y).sum(axis=axis))
    covariance = (x * y).sum(axis=axis)
    return np.asarray(np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0))


def _contrasts(tried: Tried, range_: Range) -> Iterator[Contrast]:
    """Yield contrasts of FID: "on" with "off", or each further choice with the first choice."""
    choices = range_.choices or []
    if range_.or_off or (None in choices and is_ordered(range_)):
        on = [fid for value, fid in tried if value is not None]
        off = [fid for value, fid in tried if value is None]
        yield _contrast("on", on, "off", off)
    elif not is_ordered(range_):
        by_choice = {choice: [fid for value, fid in tried if value == choice] for choice in choices}
        for choice in choices[1:]:
            yield _contrast(str(choice), by_choice[choice], str(choices[0]), by_choice[choices[0]])


def _contrast(first: str, a: Sequence[float], second: str, b: Sequence[float]) -> Contrast:
    sides: dict[str, Any] = {
        "first": first,
        "second": second,
        "n_first": len(a),
        "n_second": len(b),
        "median_first": float(np.median(a)) if a else None,
        "median_second": float(np.median(b)) if b else None,
    }
    if not a or not b or len(a) + len(b) < LEAST_TRIALS:
        return Contrast(**sides)
    p = rank_test(a, b)
    if p is None:
        return Contrast(**sides)
    shifts = np.sort(np.subtract.outer(a, b), axis=None)
    cut = _cut(len(a), len(b))
    return Contrast(
        **sides,
        shift=float(np.median(shifts)),
        low=float(shifts[cut]),
        high=float(shifts[-1 - cut]),
        p=p,
    )


def _cut(n: int, m: int) -> int:
    """Return the number of differences to drop at each end for the shift's confidence interval.

    There are n x m sorted differences between the FIDs of two groups of n and m trials. The number
    follows from the normal approximation of the Mann-Whitney statistic U (Hollander and Wolfe,
    Nonparametric Statistical Methods, 4.3). It is rounded down, which gives the wider interval.
    """
    z = stats.norm.ppf((1 + CONFIDENCE) / 2)
    return max(0, int(np.floor(n * m / 2 - z * np.sqrt(n * m * (n + m + 1) / 12))) - 1)


def _importances(record: StudyRecord) -> dict[str, Measured]:
    """Return Optuna's importance of every parameter, with a bootstrap interval over trials.

    A parameter's importance includes the importance of turning the parameter off.
    """
    trials = list(_optuna_trials(record))
    if len(trials) < LEAST_TRIALS:
        return {}
    names = list(record.parameters)
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(trials), (RESAMPLES_OF_IMPORTANCE, len(trials)))
    values = _importance(trials, names)
    resampled = np.array([_importance([trials[i] for i in draw], names) for draw in draws])
    lows, highs = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return {
        name: Measured(value=value, low=low, high=high, n=len(trials))
        for name, value, low, high in zip(names, values, lows, highs, strict=True)
    }


def _importance(trials: Sequence[FrozenTrial], names: Sequence[str]) -> list[float]:
    study = optuna.create_study()
    study.add_trials(trials)
    with warnings.catch_warnings():  # about few trials in a branch, which the interval shows
        warnings.simplefilter("ignore")
        values = get_param_importances(study)
    return [values.get(name, 0.0) + values.get(switch(name), 0.0) for name in names]


def _optuna_trials(record: StudyRecord) -> Iterator[FrozenTrial]:
    """Yield the scored trials in Optuna's form, with the first objective; no storage is needed."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    ranges = ranges_of(record)
    for trial in record.scored:
        parameters: dict[str, Any] = {}
        distributions: dict[str, BaseDistribution] = {}
        for name, value in trial.parameters.items():
            range_ = ranges[name]
            if range_.or_off:
                parameters[switch(name)] = value is not None
                distributions[switch(name)] = CategoricalDistribution([True, False])
            if value is not None or range_.choices is not None:
                parameters[name] = value
                distributions[name] = _distribution(range_)
        yield create_trial(params=parameters, distributions=distributions, value=trial.values[0])


def _distribution(range_: Range) -> BaseDistribution:
    if range_.choices is not None:
        return CategoricalDistribution(range_.choices)
    low, high = range_.bounds
    if range_.whole:
        return IntDistribution(int(low), int(high), log=range_.log)
    return FloatDistribution(low, high, log=range_.log)

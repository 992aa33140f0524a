"""Turn an Optuna study into a record that needs no storage (`ganvae.scores.studies`)."""

from collections.abc import Mapping
from typing import Any

from optuna import Study
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, TrialState

from ganvae.models.registry import system_class
from ganvae.scores.studies import StudyRecord, TrialRecord, TrialStatus
from ganvae.sweeps.space import Range
from ganvae.sweeps.study import CURRENT, Settings, switch


def record_of(study: Study, settings: Settings) -> StudyRecord:
    """Return the record of a study: its settings and the trials that have finished so far."""
    sweep = settings.sweep
    ranges = sweep.ranges(settings.system)
    has_curves = sweep.pruner is not None and sweep.pruner.by == "curve"
    return StudyRecord(
        study=study.study_name,
        family=system_class(settings.system).family,
        objectives=sweep.objectives,
        seeds=sweep.seeds,
        n_generated=sweep.n_generated,
        budget=sweep.budget,
        parameters={
            name: values.model_dump(exclude_defaults=True) for name, values in ranges.items()
        },
        pruner=sweep.pruner.model_dump() if sweep.pruner else None,
        trials=[
            _trial(trial, ranges, has_curves)
            for trial in study.get_trials(deepcopy=False)
            if trial.state.is_finished() and not _given_back(trial)
        ],
        **settings.model_dump(exclude={"sweep", "params_file"}),
    )


def _trial(trial: FrozenTrial, ranges: Mapping[str, Range], has_curves: bool) -> TrialRecord:
    attributes: Mapping[str, Any] = trial.user_attrs
    status = _status(trial)
    started, finished = trial.datetime_start, trial.datetime_complete
    assert started is not None
    assert finished is not None
    return TrialRecord(
        number=trial.number,
        status=status,
        reason=attributes.get("reason"),
        parameters={name: value_of(trial, name) for name in ranges if _has(trial, name)},
        values=list(trial.values) if trial.state == TrialState.COMPLETE else [],
        # A lost trial is run again, with the same parameters and the same checks.
        seeds=attributes.get("seeds", {}) if status != "lost" else {},
        curve=dict(trial.intermediate_values) if has_curves and status != "lost" else {},
        seconds=attributes.get("seconds", 0.0),
        started=started.timestamp(),
        finished=finished.timestamp(),
        current=attributes.get(CURRENT, False),
        retry_of=RetryHeartbeatStaleTrialCallback.retried_trial_number(trial),
    )


def _given_back(trial: FrozenTrial) -> bool:
    """Return whether a worker ended the trial as not needed (`ganvae.sweeps.worker`)."""
    return trial.state == TrialState.FAIL and not trial.params


def value_of(trial: FrozenTrial, name: str) -> Any:
    """Return the trial's value of a parameter; None if the parameter is off."""
    return trial.params.get(name)


def _has(trial: FrozenTrial, name: str) -> bool:
    return name in trial.params or switch(name) in trial.params


def _status(trial: FrozenTrial) -> TrialStatus:
    """Return the trial's status: "lost" if the trial failed in Optuna because its worker died."""
    if trial.state == TrialState.FAIL:
        return "lost"
    status: TrialStatus = trial.user_attrs.get("status", "completed")
    return status

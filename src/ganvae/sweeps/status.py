"""`ganvae sweep status`: describe the progress of a study, in a few lines."""

import time
from collections.abc import Iterator
from datetime import datetime

from optuna.trial import FrozenTrial, TrialState

from ganvae.report.numbers import duration, fixed
from ganvae.report.sweep_text import by_status, value_text
from ganvae.scores.studies import StudyRecord, TrialRecord
from ganvae.sweeps.front import pareto_front
from ganvae.sweeps.records import record_of, value_of
from ganvae.sweeps.storage import explained
from ganvae.sweeps.study import Settings, load_study


def status_text(name: str, url: str) -> str:
    """Return lines with the numbers of trials, the best trial, and the running trials of a study.

    Args:
        name: the study's name.
        url: the URL of the storage.

    Raises:
        UserError: the study does not exist.
        StorageError: the storage cannot be reached or read.
    """
    study, settings = load_study(name, url)
    with explained(url):
        record = record_of(study, settings)
        trials = study.get_trials(deepcopy=False)
    return "\n".join(_lines(record, settings, trials, time.time()))


def _lines(
    record: StudyRecord, settings: Settings, trials: list[FrozenTrial], now: float
) -> Iterator[str]:
    running = [trial for trial in trials if trial.state == TrialState.RUNNING]
    waiting = sum(trial.state == TrialState.WAITING for trial in trials)
    done = sum(trial.status != "lost" for trial in record.trials)
    yield f"study {record.study}: {record.variant} of profile {record.profile}, {record.space}"
    yield (
        f"trials: {done} done of {settings.sweep.trials} ({by_status(record)}), "
        f"{len(running)} running, {waiting} waiting"
    )
    if len(record.objectives) > 1:
        for best in pareto_front(record):
            yield _scored("on the Pareto front", record, best)
    elif record.best:
        yield _scored("best", record, record.best)
    yield _scored("current", record, record.current) if record.current else "current: no score yet"
    ranges = settings.sweep.ranges(settings.system)
    for trial in running:
        assert trial.datetime_start is not None
        since = trial.datetime_start.timestamp()
        values = {name: value_of(trial, name) for name in ranges if name in trial.params}
        yield (
            f"running: trial {trial.number} since {datetime.fromtimestamp(since):%Y-%m-%d %H:%M} "
            f"({duration(now - since)}): {_joined(values)}"
        )


def _scored(label: str, record: StudyRecord, trial: TrialRecord) -> str:
    values = zip(record.objectives, trial.values, strict=True)
    scores = ", ".join(f"{name} {fixed(value, 2)}" for name, value in values)
    return f"{label}: trial {trial.number}, {scores}: {_joined(trial.parameters)}"


def _joined(parameters: dict[str, bool | int | float | str | None]) -> str:
    return ", ".join(f"{name} {value_text(value)}" for name, value in parameters.items())

"""Run trials of a study in one worker until the study has enough trials.

Any number of workers can share one storage.
"""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import optuna
from optuna import Study
from optuna.exceptions import OptunaError
from optuna.storages import fail_stale_trials
from optuna.trial import FrozenTrial, TrialState

from ganvae.core.errors import UserError
from ganvae.sweeps.mirror import into_mlflow
from ganvae.sweeps.objective import Objective, make_objective
from ganvae.sweeps.retries import ERROR, ForgottenTrials, is_double, is_retried, queue_again
from ganvae.sweeps.storage import DATABASE_ERRORS, database_error, explained
from ganvae.sweeps.study import load_study

DONE = (TrialState.COMPLETE, TrialState.PRUNED)
AHEAD = (TrialState.RUNNING, TrialState.WAITING)
WAIT_SECONDS = 5.0

AfterTrial = Callable[[Study, FrozenTrial], None]


def work(name: str, url: str, trials: int | None) -> int:
    """Run trials until the study has enough trials; return how many trials this worker ran.

    A worker that has no trial left to start waits for the other workers. If another worker dies,
    this worker continues the trial of the dead worker.

    Args:
        name: the study's name.
        url: the URL of the storage.
        trials: the number of completed and pruned trials to reach; by default the number in the
            sweep.

    Raises:
        UserError: the study does not exist, or its data differ from the data of this clone.
        StorageError: the storage cannot be reached or written.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # batch systems end jobs with it
    study, settings = load_study(name, url)
    objective = make_objective(name, settings)
    after = into_mlflow(settings)
    wanted = settings.sweep.trials if trials is None else trials
    ran = 0
    forgotten = ForgottenTrials(study)
    with explained(url):
        while (done_and_ahead := _counts(study, forgotten))[0] < wanted:
            if sum(done_and_ahead) < wanted:
                ran += _run_one(study, objective, wanted, after)
            else:
                time.sleep(WAIT_SECONDS)
    return ran


class _SurplusError(Exception):
    """An error that ends a trial that was started but is not needed."""


def _counts(study: Study, forgotten: ForgottenTrials) -> tuple[int, int]:
    """Queue the trials of dead workers again.

    Returns:
        The number of done trials, and the number of trials that are running or soon queued again.
    """
    fail_stale_trials(study)
    owed = forgotten.queue()
    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    return sum(state in DONE for state in states), states.count(TrialState.RUNNING) + owed


def _run_one(study: Study, objective: Objective, wanted: int, after: AfterTrial) -> bool:
    """Run one trial. After Ctrl-C or a `UserError`, queue the trial again and raise the exception.

    Returns:
        Whether the trial was run to its end. False if the trial was not needed, or was taken from
        this worker.
    """
    begun: list[int] = []

    def run_if_needed(trial: optuna.Trial) -> list[float]:
        begun.append(trial.number)
        if _is_surplus(study, trial.number, wanted):
            raise _SurplusError
        return _noting_errors(objective, trial)

    try:
        study.optimize(run_if_needed, n_trials=1, callbacks=[_print, after])
    except _SurplusError:
        queue_again(study, begun[0])
        return False
    except (KeyboardInterrupt, UserError):
        if begun:
            _give_back(study, begun[0])
        raise
    except Exception as error:  # Optuna raises several types for a trial taken from its worker
        if begun and database_error(error):
            with suppress(*DATABASE_ERRORS, ValueError):  # perhaps the storage answers again
                _give_back(study, begun[0])
            raise
        if not (begun and is_retried(study.get_trials(deepcopy=False), begun[0])):
            raise
        reason = "because this worker sent no heartbeat"
        print(f"trial {begun[0]} was taken from this worker, {reason}", flush=True)
        return False
    return True


def _is_surplus(study: Study, number: int, wanted: int) -> bool:
    """Return whether trial ``number`` is not needed to reach ``wanted`` done trials.

    Several workers can start the last missing trial at the same moment. Then only the trial with
    the lowest number is needed. So running and queued trials with lower numbers count as done. The
    second retry of a trial is never needed.
    """
    trials = study.get_trials(deepcopy=False)
    if is_double(trials, trials[number]):
        return True
    done = sum(trial.state in DONE for trial in trials)
    ahead = sum(trial.state in AHEAD for trial in trials[:number])
    return done + ahead >= wanted


def _noting_errors(objective: Objective, trial: optuna.Trial) -> list[float]:
    """Run a trial. An error in the program is noted, since it would end every retry too."""
    try:
        return objective(trial)
    except (OptunaError, UserError, *DATABASE_ERRORS):
        raise
    except Exception as error:
        with suppress(OptunaError):
            trial.set_user_attr(ERROR, repr(error))
        raise


def _give_back(study: Study, number: int) -> None:
    """Queue a trial again that this worker does not complete."""
    study.tell(number, state=TrialState.FAIL, skip_if_finished=True)
    if queue_again(study, number):
        print(f"trial {number} is queued again, so that any worker can continue", flush=True)


def _print(study: Study, trial: FrozenTrial) -> None:
    """Print one line about a finished trial: time, number, status, values and parameters."""
    values = ", ".join(
        f"{name} {value:.2f}"
        for name, value in zip(study.metric_names or [], trial.values or [], strict=False)
    )
    status = trial.user_attrs.get("status", trial.state.name.lower())
    parameters = ", ".join(f"{name} {_short(value)}" for name, value in trial.params.items())
    now = datetime.now().strftime("%H:%M:%S")
    print(f"{now} trial {trial.number}: {status}, {values} ({parameters})", flush=True)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

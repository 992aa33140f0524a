"""A worker: runs trials of a study until there are enough. Any number may share one storage."""

import signal
import time
from collections.abc import Callable
from datetime import datetime

import optuna
from optuna import Study
from optuna.storages import RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.trial import FrozenTrial, TrialState

from ganvae.errors import UserError
from ganvae.sweeps.objective import Objective, make_objective
from ganvae.sweeps.storage import RETRIES, explained
from ganvae.sweeps.study import load_study

DONE = (TrialState.COMPLETE, TrialState.PRUNED)
WAIT_SECONDS = 5.0

AfterTrial = Callable[[Study, FrozenTrial], None]


def work(name: str, url: str, trials: int | None, after: AfterTrial | None = None) -> int:
    """Run trials until the study has as many as are wanted; return how many this worker ran.

    A worker that has nothing left to begin waits for the others: should one of them die, its
    trial is taken up again here.

    Args:
        trials: how many the study shall have in the end, completed and pruned ones together; by
            default as many as the sweep says.
        after: is called with each trial that this worker has ended.

    Raises:
        UserError: no such study, or its data are not those of this clone.
        StorageError: the storage cannot be reached or written.
    """
    study, settings = load_study(name, url)
    objective = make_objective(name, settings)
    wanted = settings.sweep.trials if trials is None else trials
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as batch systems end a job
    ran = 0
    with explained(url):
        while (done_and_running := _counts(study))[0] < wanted:
            if sum(done_and_running) < wanted:
                _run_one(study, objective, after)
                ran += 1
            else:
                time.sleep(WAIT_SECONDS)
    return ran


def _counts(study: Study) -> tuple[int, int]:
    """How many trials are done and how many are running, when those of dead workers are queued."""
    fail_stale_trials(study)
    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    return sum(state in DONE for state in states), states.count(TrialState.RUNNING)


def _run_one(study: Study, objective: Objective, after: AfterTrial | None) -> None:
    """Run one trial; if it is interrupted, leave it to be taken up again."""
    begun: list[int] = []

    def noted(trial: optuna.Trial) -> list[float]:
        begun.append(trial.number)
        return objective(trial)

    try:
        study.optimize(noted, n_trials=1, callbacks=[_print, *([after] if after else [])])
    except (KeyboardInterrupt, UserError):
        if begun:
            RetryHeartbeatStaleTrialCallback(max_retry=RETRIES)(study, study.trials[begun[0]])
        raise


def _print(study: Study, trial: FrozenTrial) -> None:
    """One line a trial."""
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

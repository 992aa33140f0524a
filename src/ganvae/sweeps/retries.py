"""Queue failed trials again, so that no trial is lost and no trial runs twice."""

import time
from collections.abc import Sequence
from copy import deepcopy

from optuna import Study
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, TrialState

from ganvae.sweeps.storage import RETRIES

FIXED = "fixed_params"
"""The key of the trial attribute in which Optuna stores the parameters of a queued trial."""

ERROR = "error"
"""The key of the trial attribute with the error of the program that ended the trial."""

FORGOTTEN_SECONDS = 10.0
"""Seconds that a failed trial is left to the worker that failed it, and that queues it again."""

history = RetryHeartbeatStaleTrialCallback.retry_history


def queue_again(study: Study, number: int) -> bool:
    """Queue a failed trial again if it `is_owed`. Return whether it was queued."""
    trials = study.get_trials(deepcopy=False)
    if owed := is_owed(trials, trials[number]):
        RetryHeartbeatStaleTrialCallback()(study, deepcopy(trials[number]))
    return owed


def is_owed(trials: Sequence[FrozenTrial], trial: FrozenTrial) -> bool:
    """Return whether a failed trial must be queued again.

    A trial is not queued again if it never got parameters, if an error in the program ended it, or
    if another trial retries it or retries the same trial.
    """
    return (
        trial.state == TrialState.FAIL
        and bool(trial.params or FIXED in trial.system_attrs)
        and ERROR not in trial.user_attrs
        and not is_retried(trials, trial.number)
        and not is_double(trials, trial)
    )


def is_retried(trials: Sequence[FrozenTrial], number: int) -> bool:
    """Return whether another trial retries trial ``number``."""
    return any(number in history(trial) for trial in trials)


def is_double(trials: Sequence[FrozenTrial], trial: FrozenTrial) -> bool:
    """Return whether a trial with a lower number retries the same trial.

    Two workers can queue the same lost trial at the same moment. The first retry counts.
    """
    retried = history(trial)
    return bool(retried) and any(history(each) == retried for each in trials[: trial.number])


class ForgottenTrials:
    """Trials that failed and were not queued again, because their worker was killed in between."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._seen: dict[int, float] = {}

    def queue(self) -> int:
        """Queue the forgotten trials again, and return how many failed trials are still owed.

        Another worker may be about to queue a trial that has just failed. So a trial is queued only
        if this worker has known about its failure for some time.
        """
        now = time.monotonic()
        trials = self._study.get_trials(deepcopy=False)
        owed = [trial.number for trial in trials if self._may_be_retried(trials, trial)]
        self._seen = {number: self._seen.get(number, now) for number in owed}
        old = [number for number in owed if now - self._seen[number] >= FORGOTTEN_SECONDS]
        return len(owed) - sum(queue_again(self._study, number) for number in old)

    @staticmethod
    def _may_be_retried(trials: Sequence[FrozenTrial], trial: FrozenTrial) -> bool:
        return len(history(trial)) < RETRIES and is_owed(trials, trial)

"""The workers of a study as jobs of SLURM, or as processes that submitit starts here."""

import os
import signal
import time
from collections import Counter
from typing import Any

from optuna import Study

from ganvae.core.errors import UserError
from ganvae.pipeline.cluster import ATTEMPTS
from ganvae.pipeline.queues import POLL_SECONDS, Queue
from ganvae.sweeps.storage import explained
from ganvae.sweeps.study import load_study
from ganvae.sweeps.worker import DONE, work

STORAGE = "OPTUNA_STORAGE"
"""The variable with the URL of the storage. The files of a job must not hold a password."""


def work_on(queue: Queue, jobs: int, name: str, url: str, trials: int | None) -> int:
    """Keep workers running as jobs until the study has enough trials.

    A worker that was lost, for example with its node or at its time limit, is submitted again. Its
    trial is continued by any worker.

    Args:
        jobs: the number of workers.
        name, url, trials: as for `ganvae.sweeps.worker.work`.

    Returns:
        The number of trials that the workers ran to their end.

    Raises:
        UserError: the storage is a file, but the workers run on several hosts; a worker failed; or
            a worker was lost `ATTEMPTS` times, while no trial was done.
    """
    if queue.where == "slurm" and url.startswith("sqlite"):
        raise UserError(
            "--on slurm needs a database server for the study, because SQLite cannot be shared by "
            "several hosts. Give --storage postgresql+psycopg://USER:PASSWORD@HOST/DATABASE."
        )
    study, _ = load_study(name, url)
    os.environ[STORAGE] = url
    try:
        return _Fleet(queue, study, url, trials).run(jobs)
    except BaseException:
        queue.cancel()
        raise


class _Fleet:
    """Running workers, by number."""

    def __init__(self, queue: Queue, study: Study, url: str, trials: int | None) -> None:
        self._queue = queue
        self._study = study
        self._url = url
        self._trials = trials
        self._workers: dict[int, Any] = {}
        self._seen: dict[int, float] = {}
        self._done = -1
        self._lost: Counter[int] = Counter()  # by worker, since a trial was done

    def run(self, jobs: int) -> int:
        """Submit the workers, and wait until all have ended. Return the number of their trials."""
        for number in range(jobs):
            self._submit(number)
        ran = 0
        while self._workers:
            time.sleep(POLL_SECONDS)
            self._count()
            for number, worker in list(self._workers.items()):
                ran += self._look_at(number, worker)
        return ran

    def _submit(self, number: int) -> None:
        name = f"{self._study.study_name}-{number}"
        self._workers[number] = self._queue.submit(
            name, _work, self._study.study_name, self._trials
        )
        self._seen[number] = time.monotonic()
        print(f"worker {number}: job {self._workers[number].job_id} submitted", flush=True)

    def _count(self) -> None:
        """Print the number of done trials if it has changed."""
        with explained(self._url):
            done = sum(trial.state in DONE for trial in self._study.get_trials(deepcopy=False))
        if done != self._done:
            self._done = done
            self._lost.clear()
            print(f"{done} trials done, {len(self._workers)} workers", flush=True)

    def _look_at(self, number: int, worker: Any) -> int:
        """Return how many trials a worker has run, if it has ended. Replace it if it was lost."""
        if worker.paths.result_pickle.exists():
            del self._workers[number]
            ran, error = _result(worker)
            if error:
                raise UserError(f"worker {number}: {error}")
            return ran
        if self._queue.alive(worker):
            self._seen[number] = time.monotonic()
        elif time.monotonic() - self._seen[number] > self._queue.grace:
            print(f"worker {number}: job {worker.job_id} was lost", flush=True)
            self._lost[number] += 1
            if self._lost[number] >= ATTEMPTS:
                raise UserError(
                    f"worker {number} was lost {ATTEMPTS} times, and no trial was done. The output "
                    f"of its last job is in {worker.paths.stderr}."
                )
            self._submit(number)
        return 0


def _result(worker: Any) -> tuple[int, str]:
    """Return what `_work` returned in a job that has ended, or why there is no such result."""
    try:
        ran, error = worker.result()
    except Exception:  # submitit raises several types
        return 0, f"its job failed. The traceback is in {worker.paths.stderr}."
    return int(ran), str(error)


def _work(name: str, trials: int | None) -> tuple[int, str]:
    """Run trials in a job. Return their number, and the message of a `UserError` or ""."""
    # Before its time limit, a job gets the signal SIGUSR2. submitit's handler would record the
    # worker as failed. Ctrl-C gives the trial back and leaves no result, so the worker is lost.
    signal.signal(signal.SIGUSR2, signal.default_int_handler)
    try:
        return work(name, os.environ[STORAGE], trials), ""
    except UserError as error:
        return 0, str(error)

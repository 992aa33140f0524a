"""A queue of jobs: SLURM's, or processes that submitit starts on this machine."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from ganvae.core.errors import UserError
from ganvae.pipeline.owner import end_with_owner, owned

Where = Literal["slurm", "local"]
FOLDER = Path(".state/jobs")
"""The folder of the jobs' files, relative to the root."""
GPUS = "CUDA_VISIBLE_DEVICES"
"""The environment variable with the GPUs that a process can see. Without it, a process sees all."""
POLL_SECONDS = 2.0
GRACE_SECONDS: dict[Where, float] = {"slurm": 90.0, "local": 5.0}
"""Seconds in which the files of a job that has left the queue must appear here.

NFS shows a new file on another host after a minute at the latest.
"""


@dataclass(frozen=True)
class Resources:
    """What each job asks for. None leaves the choice to the cluster.

    ``minutes`` is the time limit. ``cpus`` and ``gpus`` are per job.
    """

    partition: str | None = None
    minutes: int = 120
    cpus: int = 1
    gpus: int = 0

    @classmethod
    def of(
        cls, partition: str | None, minutes: int | None, cpus: int | None, gpus: int | None
    ) -> "Resources":
        """Return what the options of a command ask for. None stands for the default."""
        options = {"minutes": minutes, "cpus": cpus, "gpus": gpus}
        return cls(partition, **{key: value for key, value in options.items() if value is not None})

    def of_submitit(self, where: Where) -> dict[str, Any]:
        """Return these values as parameters of submitit's executor."""
        shared = {"timeout_min": self.minutes, "cpus_per_task": self.cpus}
        if where == "local":
            return {"timeout_min": self.minutes}
        values = {"gpus_per_node": self.gpus or None, "slurm_partition": self.partition}
        return shared | {name: value for name, value in values.items() if value}


class Queue:
    """Submits jobs, and knows which of them are alive. Several threads can use it.

    Attributes:
        where: where the jobs run.
        grace: the seconds in which the files of a job that has left the queue must appear here.

    Raises:
        UserError: submitit or SLURM's commands are missing.
    """

    def __init__(self, where: Where, resources: Resources, root: Path) -> None:
        check_available(where)
        self.where: Where = where
        self.grace = GRACE_SECONDS[where]
        self._resources = resources
        # In a folder of their own, since the id of a job on this machine is a process id, which the
        # system may give again.
        self._logs = root / FOLDER / "logs" / f"{datetime.now():%Y-%m-%d-%H%M%S}-{os.getpid()}"
        self._submitted: dict[str, Any] = {}
        self._since: dict[str, float] = {}
        self._lock = Lock()
        self._asked = float("-inf")
        self._listed: set[str] | None = None

    def submit(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Submit a call of a function, and return submitit's job.

        Raises:
            UserError: the scheduler refuses the job, for example since its partition is unknown.
        """
        from submitit.core.utils import FailedJobError

        executor = _submitit().AutoExecutor(folder=self._logs, cluster=self.where)
        executor.update_parameters(name=name, **self._resources.of_submitit(self.where))
        if self.where == "local":
            function = partial(_call_here, function, owned() | _visible_gpus())
        try:
            submitted = executor.submit(function, *arguments)
        except FailedJobError as error:
            raise UserError(f"a job cannot be submitted: {error}") from None
        self._since[submitted.job_id] = time.monotonic()
        self._submitted[submitted.job_id] = submitted
        return submitted

    def alive(self, submitted: Any) -> bool:
        """Return whether a job waits or runs. If SLURM does not answer, its jobs count as alive."""
        if self.where == "local":
            return not submitted.done()
        with self._lock:
            if time.monotonic() - self._asked > POLL_SECONDS:
                self._asked, self._listed = time.monotonic(), _listed()
            older = self._asked < self._since.get(submitted.job_id, float("-inf"))
            return self._listed is None or older or submitted.job_id in self._listed

    def remove_files(self, submitted: Any) -> None:
        """Remove the files that submitit wrote for a job: its logs, call and result."""
        for path in self._logs.glob(f"{submitted.job_id}_*"):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # files of other jobs are left
            self._logs.rmdir()

    def cancel_all(self, name: str, ids: Sequence[str]) -> None:
        """Cancel the jobs of SLURM that have this name and one of these ids.

        The name is compared since a cluster can give the same id again.
        """
        if self.where == "slurm" and ids:
            command = ["scancel", f"--name={name}", *ids]
            with suppress(OSError):  # the command is missing
                subprocess.run(command, capture_output=True, check=False)  # most have ended

    def cancel(self) -> None:
        """Cancel all jobs that are alive, also those that nobody waits for any more."""
        self._asked = float("-inf")
        for submitted in list(self._submitted.values()):
            if self.alive(submitted):
                with suppress(Exception):  # it has just ended
                    submitted.cancel()


def _call_here(function: Callable[..., Any], variables: dict[str, str], *arguments: Any) -> Any:
    """Call a function in a job on this machine. The job ends with the process that submitted it.

    Args:
        variables: environment variables for the job. submitit itself hides all GPUs from a job.
    """
    os.environ.pop(GPUS, None)
    os.environ.update(variables)
    end_with_owner(alone=True)  # the group is that of the process that submitted the job
    return function(*arguments)


def _visible_gpus() -> dict[str, str]:
    return {GPUS: os.environ[GPUS]} if GPUS in os.environ else {}


def _listed() -> set[str] | None:
    """Return the ids of this user's jobs in SLURM's queue; None if SLURM does not answer.

    One question for all jobs, as the controller of a cluster must not be asked often. Without
    accounting, submitit's own watcher asks ever more rarely.
    """
    command = ["squeue", "--noheader", "--format=%A", "--me"]
    queue = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if queue.returncode else set(queue.stdout.split())


def check_available(where: Where) -> None:
    """Check that jobs can be submitted from this machine.

    Raises:
        UserError: submitit or SLURM's commands are missing.
    """
    _submitit()
    if where == "slurm" and not (shutil.which("sbatch") and shutil.which("squeue")):
        raise UserError("--on slurm needs the commands sbatch and squeue, which are not on PATH.")


def _submitit() -> Any:
    try:
        import submitit
    except ImportError:
        raise UserError(
            "--on needs submitit. Install it with `pip install 'ganvae[cluster]'`."
        ) from None
    return submitit

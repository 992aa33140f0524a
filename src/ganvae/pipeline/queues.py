"""A queue of jobs: SLURM's, or processes that submitit starts on this machine."""

import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ganvae.core.errors import UserError

Where = Literal["slurm", "local"]
FOLDER = Path(".state/jobs")
"""The folder of the jobs' files, relative to the root."""


@dataclass(frozen=True)
class Resources:
    """What each job asks for. None leaves the choice to the cluster.

    ``minutes`` is the time limit. ``cpus`` and ``gpus`` are per job.
    """

    partition: str | None = None
    minutes: int = 120
    cpus: int = 1
    gpus: int = 0

    def of_submitit(self, where: Where) -> dict[str, Any]:
        """Return these values as parameters of submitit's executor."""
        shared = {"timeout_min": self.minutes, "cpus_per_task": self.cpus}
        if where == "local":
            return {"timeout_min": self.minutes}
        values = {"gpus_per_node": self.gpus or None, "slurm_partition": self.partition}
        return shared | {name: value for name, value in values.items() if value}


class Queue:
    """Submits jobs, and knows which of them are alive.

    Raises:
        UserError: submitit or SLURM's commands are missing.
    """

    def __init__(self, where: Where, resources: Resources, root: Path) -> None:
        check_available(where)
        self.where = where
        self._resources = resources
        self._logs = root / FOLDER / "logs"
        self._submitted: list[Any] = []

    def submit(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Submit a call of a function, and return submitit's job."""
        executor = _submitit().AutoExecutor(folder=self._logs, cluster=self.where)
        executor.update_parameters(name=name, **self._resources.of_submitit(self.where))
        submitted = executor.submit(function, *arguments)
        self._submitted.append(submitted)
        return submitted

    def alive(self, submitted: Any) -> bool:
        """Return whether a job waits or runs."""
        if self.where == "local":
            return not submitted.done()
        # Without accounting, submitit's own watcher asks ever more rarely.
        queue = subprocess.run(
            ["squeue", "--noheader", "--format=%A", f"--jobs={submitted.job_id}"],
            capture_output=True,
            text=True,
            check=False,
        )
        return submitted.job_id in queue.stdout.split()

    def cancel(self) -> None:
        """Cancel all jobs."""
        for submitted in self._submitted:
            with suppress(Exception):  # it has ended already
                submitted.cancel()


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

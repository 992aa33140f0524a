"""Perform the runs of a profile as jobs of SLURM, or as processes that submitit starts here."""

import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from ganvae.config import load_params
from ganvae.core.errors import UserError
from ganvae.core.files import remove_folder, replacing
from ganvae.models.own_code import is_file
from ganvae.pipeline.dvc import Children, run_dvc
from ganvae.pipeline.job import Job, perform
from ganvae.pipeline.project.tokens import systems_of
from ganvae.pipeline.queues import FOLDER, POLL_SECONDS, Queue, Resources, Where, check_available

ATTEMPTS = 5
RESULTS = "results/"
"""Uncommitted changes of this folder and of locks do not matter to a job."""


class Jobs:
    """The jobs of a profile: one per run, each in a clone of its own."""

    def __init__(self, pipeline: Path) -> None:
        """Prepare the jobs.

        Args:
            pipeline: the profile's dvc.yaml.

        Raises:
            UserError: an uncommitted change would be missing in the clones of the jobs.
        """
        params = load_params(pipeline.with_name("params.yaml"))
        self.root = (pipeline.parent / params.root).resolve()
        self._pipeline = pipeline.resolve().relative_to(self.root)
        self._profile = params.profile
        profile = [pipeline.with_name("params.yaml"), pipeline, self.root / params.promotions]
        self._files = [
            *(str(path.resolve().relative_to(self.root)) for path in profile),
            params.judge,
            *filter(is_file, systems_of(self.root)),
        ]
        committed(self.root, self._files)  # refused before anything runs
        self._cache = Path(run_dvc("cache", "dir", root=self.root).strip())
        self.folder = self.root / FOLDER / self._pipeline.parent.name

    def begin(self) -> None:
        """Copy the profile's lock for the jobs, while DVC does not write it.

        DVC writes the lock whenever it has collected a run. All jobs read the same copy.
        """
        lock = self.root / self._pipeline.with_name("dvc.lock")
        copy = self.folder / "dvc.lock"
        if not lock.exists():
            copy.unlink(missing_ok=True)
            return
        with replacing(copy) as temporary:
            shutil.copyfile(lock, temporary)

    def job(self, name: str, stages: Sequence[str]) -> Job:
        """Return the job that performs the stages of a run.

        Raises:
            UserError: there are uncommitted changes, for example because this reproduction has
                measured the behaviour of the code anew.
        """
        folder = self.folder / name
        commit = committed(self.root, self._files)
        return Job(self.root, commit, folder, self._cache, self._pipeline, self._profile, stages)


def print_jobs(pipeline: Path, stages: Mapping[str, Sequence[str]]) -> None:
    """Print the command of each job, for schedulers that submitit does not know.

    Args:
        pipeline: the profile's dvc.yaml.
        stages: the stages to perform, by run.
    """
    jobs = Jobs(pipeline)
    jobs.begin()
    for name, names in stages.items():
        if names:
            print(shlex.join(jobs.job(name, names).command))


class Cluster:
    """Performs runs as jobs, and gets their results from DVC's cache."""

    def __init__(
        self, pipeline: Path, children: Children, where: Where, resources: Resources
    ) -> None:
        self.children = children
        self.queues = where == "slurm"
        self._pipeline = pipeline
        self._jobs = Jobs(pipeline)
        self._queue = Queue(where, resources, self._jobs.root)
        self._ended = Event()
        self._collected: list[Any] = []

    def begin(self) -> None:
        for done in self._jobs.folder.glob("*.done"):  # of a head that was killed
            self._clear(done.with_suffix(""))
        self._jobs.begin()

    def run(self, name: str, stages: Sequence[str]) -> None:
        """Perform the stages of a run as a job, and collect what they wrote.

        A job that was lost, for example with its node, is submitted again. It resumes from its
        last checkpoint.

        Raises:
            UserError: a stage failed, or the job was lost too often.
        """
        job = self._jobs.job(name, stages)
        attempts = []
        for attempt in range(1, ATTEMPTS + 1):
            if self._ended.is_set():
                return
            submitted = self._submit(name, job)
            attempts.append(submitted)
            again = "" if attempt == 1 else f", attempt {attempt} of {ATTEMPTS}"
            self.children.board.line(name, f"job {submitted.job_id} submitted{again}")
            if self._finished(job, submitted):
                self._collect(name, job)
                self._collected += attempts
                return
            self.children.board.line(name, f"job {submitted.job_id} was lost")
        raise UserError(
            f"{name}: the job was lost {ATTEMPTS} times. The output of the last attempt is in "
            f"{submitted.paths.stderr}."
        )

    def end(self) -> None:
        self._ended.set()
        self.children.end()
        self._queue.cancel()
        for submitted in self._collected:  # only now, since a job writes its log to the very end
            self._queue.remove_files(submitted)

    def _submit(self, name: str, job: Job) -> Any:
        for ended in (job.done, job.failed):  # of an earlier job
            ended.unlink(missing_ok=True)
        if older := [number for number, commit in _submitted(job.folder) if commit != job.commit]:
            self._queue.cancel_all(name, older)  # of a head that was killed
        submitted = self._queue.submit(name, perform, job)
        job.folder.parent.mkdir(parents=True, exist_ok=True)
        with _ids(job.folder).open("a") as file:
            file.write(f"{submitted.job_id} {job.commit}\n")
        return submitted

    def _finished(self, job: Job, submitted: Any) -> bool:
        """Wait for a job. Return False if it was lost.

        Raises:
            UserError: a stage of the job failed.
        """
        seen = time.monotonic()
        while not self._ended.wait(POLL_SECONDS):
            if job.is_done:
                return True
            if reason := job.failure:
                raise UserError(f"{reason} The output is in {submitted.paths.stdout}.")
            if self._queue.alive(submitted):
                seen = time.monotonic()
            elif time.monotonic() - seen > self._queue.grace:
                return False
        return False

    def _collect(self, name: str, job: Job) -> None:
        addresses = [f"{self._pipeline}:{stage}" for stage in job.stages]
        self.children.run(name, ["--single-item", *addresses], collect=True)
        self._clear(job.folder)

    def _clear(self, folder: Path) -> None:
        """Remove the clone of a run whose results are in DVC's cache, and cancel its other jobs.

        A head that was killed may have submitted other jobs. They would make the clone again.
        """
        if submitted := _submitted(folder):
            self._queue.cancel_all(folder.name, [number for number, _ in submitted])
        remove_folder(folder)
        _ids(folder).unlink(missing_ok=True)
        folder.with_name(f"{folder.name}.done").unlink()


def _ids(folder: Path) -> Path:
    """Return the file with the id and the commit of each job of a run, submitted by any head."""
    return folder.with_name(f"{folder.name}.jobs")


def _submitted(folder: Path) -> list[tuple[str, str]]:
    """Return the id and the commit of each job that was submitted for a run."""
    ids = _ids(folder)
    lines = ids.read_text().splitlines() if ids.exists() else []
    return [(number, commit) for number, _, commit in (line.partition(" ") for line in lines)]


def committed(root: Path, files: Sequence[str] = ()) -> str:
    """Return the commit of a clone whose code and parameters are all committed.

    Args:
        root: the clone.
        files: paths of files that must be in the commit, relative to ``root``.

    Raises:
        UserError: the clone has no commit, or an uncommitted change would be missing in the clones
            of the jobs.
    """
    if not (root / ".git").exists():
        raise UserError(
            f"each job works in a clone of {root}, but this folder is no git repository of its "
            "own. Make it one, and commit its files: `git init`, `git add .`, `git commit`."
        )
    if not _git(root, "rev-list", "--all", "--max-count=1"):
        raise UserError(
            f"each job works in a clone of {root}, which has no commit yet. Commit its files: "
            "`git add .`, `git commit`."
        )
    status = _git(root, "status", "--porcelain", "--untracked-files=no")
    paths = [line[3:].split(" -> ")[-1].strip('"') for line in status.splitlines()]
    changed = [p for p in paths if not p.startswith(RESULTS) and not p.endswith("dvc.lock")]
    if changed:
        raise UserError(
            f"{changed[0]} has changes that are not committed, so the jobs would not see them. "
            "Commit them first."
        )
    untracked = _git(root, "ls-files", "--others", "--", *files).splitlines() if files else []
    if untracked:
        raise UserError(
            f"{untracked[0]} is not in git, so the jobs would not see it. Commit it first."
        )
    return _git(root, "rev-parse", "HEAD").strip()


def _git(root: Path, *arguments: str) -> str:
    process = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
    )
    if process.returncode:
        raise UserError(f"`git {' '.join(arguments)}` failed: {process.stderr.strip()}")
    return process.stdout


def on(where: Where, resources: Resources) -> Callable[[Path, Children], Cluster]:
    """Return the function with which `reproduce` makes the cluster.

    Raises:
        UserError: submitit or SLURM's commands are missing.
    """
    check_available(where)
    return partial(Cluster, where=where, resources=resources)

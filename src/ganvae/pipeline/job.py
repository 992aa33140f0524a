"""One job of `ganvae repro --on`: the stages of one training run, in a clone of its own.

Jobs on several hosts must not share a clone, since DVC's locks hold process ids without hosts. They
share DVC's cache, and DVC keeps there what each stage wrote. So the clone that started the jobs
gets all results from the cache.
"""

import argparse
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvae.core.errors import UserError, exit_with_message
from ganvae.core.files import replacing, write_text
from ganvae.core.lock import in_turn
from ganvae.core.paths import ProfilePaths
from ganvae.core.tokens import is_project
from ganvae.pipeline.dvc import DVC
from ganvae.pipeline.owner import owned

LEFT_OUT = ("/*", "!/results/", "!/docs/", "!/data/raw/")
"""What a job's clone has: patterns of git's sparse checkout. No stage of a run reads the rest."""

TRAIN = "train"
"""The stage that trains. The other stages of a run read what it wrote."""


@dataclass(frozen=True)
class Job:
    """A job: the stages of a training run.

    Attributes:
        source: the clone that starts the job, as an absolute path.
        commit: the commit to check out.
        folder: the job's clone, as an absolute path. If it exists, its checkpoints are used.
        cache: DVC's cache, as an absolute path that all hosts see.
        pipeline: the dvc.yaml of the profile, relative to the repository's root.
        profile: the profile's name.
        stages: the names of the stages, in order.
    """

    source: Path
    commit: str
    folder: Path
    cache: Path
    pipeline: Path
    profile: str
    stages: Sequence[str]

    @property
    def done(self) -> Path:
        """A file that says that all stages were performed. Its text is the job's commit."""
        return self.folder.with_name(f"{self.folder.name}.done")

    @property
    def failed(self) -> Path:
        """A file with the job's commit and the reason why a stage failed.

        A job that was lost has neither file.
        """
        return self.folder.with_name(f"{self.folder.name}.failed")

    @property
    def is_done(self) -> bool:
        """Whether all stages were performed at this job's commit."""
        return self.done.exists() and self.done.read_text() == self.commit

    @property
    def failure(self) -> str | None:
        """The reason why a stage failed at this job's commit; None if no stage failed."""
        if not self.failed.exists():
            return None
        commit, _, reason = self.failed.read_text().partition("\n")
        return reason.strip() if commit == self.commit else None

    @property
    def lock(self) -> Path:
        """The copy of the profile's dvc.lock that all jobs read. DVC does not write the copy."""
        return self.folder.with_name("dvc.lock")

    @property
    def command(self) -> list[str]:
        """The command that performs the job on any host that sees the three folders."""
        options = {
            "--source": self.source,
            "--commit": self.commit,
            "--folder": self.folder,
            "--cache": self.cache,
            "--pipeline": self.pipeline,
            "--profile": self.profile,
        }
        named = [str(part) for pair in options.items() for part in pair]
        return [sys.executable, "-m", __name__, *named, *self.stages]


def perform(job: Job) -> None:
    """Perform a job, and write one of the files `Job.done` and `Job.failed`.

    A job that was lost may still work in the same folder. Then wait until that job has ended.

    Raises:
        UserError: a command failed, and its output is printed.
        OSError: a program is missing on this host, or a file cannot be written.
    """
    lock = job.folder.with_name(f"{job.folder.name}.lock")
    busy = f"Another job works in {job.folder}. This job waits until the other job has ended."
    try:
        with in_turn(lock, busy) as waited:
            if not (waited and job.is_done):
                _perform(job)
    except (UserError, OSError) as error:
        write_text(job.failed, f"{job.commit}\n{_reason(error)}\n")
        raise


def _reason(error: UserError | OSError) -> str:
    """Return why a job failed, for its `Job.failed`."""
    if isinstance(error, UserError):
        return str(error)
    path = f"{error.filename}: " if error.filename else ""
    return f"{path}{error.strerror or error} (on host {socket.gethostname()})."


def _perform(job: Job) -> None:
    _clone(job)
    _dvc(job, "checkout", f"{job.pipeline}:prepare", f"{job.pipeline}:reference")
    if f"{TRAIN}@{job.folder.name}" not in job.stages:
        _copy_training(job)
    stages = [f"{job.pipeline}:{stage}" for stage in job.stages]
    _dvc(job, "repro", "--single-item", *stages)
    write_text(job.done, job.commit)


def _clone(job: Job) -> None:
    """Clone the source at the job's commit, with the copy of the source's lock."""
    if (job.folder / ".git").exists():
        _remove_locks(job.folder)
    else:
        _make_clone(job)
    git = "git", "-C", str(job.folder)
    _run(*git, "fetch", "--quiet", "origin", job.commit)
    _run(*git, "checkout", "--quiet", "--force", "--detach", job.commit)
    # The source may have prepared data that its committed lock does not know yet.
    if job.lock.exists():
        shutil.copyfile(job.lock, job.folder / job.pipeline.with_name("dvc.lock"))
    if is_project(job.folder):
        _run(sys.executable, "-m", "ganvae.pipeline.project.tokens", cwd=job.folder)
    _dvc(job, "cache", "dir", "--local", str(job.cache))


def _make_clone(job: Job) -> None:
    """Make a clone without files. A lost node leaves the whole clone or nothing."""
    # Here a missing git is reported as such. In the block below, it would be a fault of the folder.
    _run("git", "-C", str(job.source), "cat-file", "-e", job.commit)
    with replacing(job.folder) as folder:
        _run("git", "clone", "--quiet", "--no-checkout", str(job.source), str(folder))
        _run("git", "-C", str(folder), "sparse-checkout", "set", "--no-cone", *LEFT_OUT)


def _remove_locks(folder: Path) -> None:
    """Remove the locks that git and DVC have left in a clone when an earlier job was lost.

    This job holds the lock of the clone, so nobody else is at work there.
    """
    for path in (*(folder / ".git").rglob("*.lock"), folder / ".dvc/tmp/rwlock"):
        path.unlink(missing_ok=True)


def _copy_training(job: Job) -> None:
    """Copy what the training of the run wrote. The job's stages read it, and do not train.

    DVC may not have all of it: files that git keeps are only in the cache where a stage wrote them.
    """
    run = ProfilePaths(job.profile).run(job.folder.name)
    for path in (run.weights, run.progress, run.outcome, run.history):
        source, copy = job.source / path, job.folder / path
        if source.exists():  # the baselines have no training
            _remove(copy)  # it may be a link into the cache
            copy.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, copy)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _dvc(job: Job, *arguments: str) -> None:
    code = str(job.folder / "src")  # of the job's commit
    others = os.environ.get("PYTHONPATH")
    python = os.environ | {
        "PYTHONPATH": f"{code}{os.pathsep}{others}" if others else code,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    # A stage that sees the end of its owner kills its group: DVC and the stage, but not the job.
    _run(*DVC, *arguments, cwd=job.folder, env=python | owned(), start_new_session=True)


def _run(*command: str, **options: Any) -> None:
    process = subprocess.run(command, check=False, **options)
    if process.returncode:
        shown = shlex.join(("dvc", *command[3:]) if command[:3] == DVC else command)
        raise UserError(f"`{shown}` failed with status {process.returncode}. See its output above.")


def _job() -> Job:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("source", "folder", "cache", "pipeline"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("commit", "profile"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("stages", nargs="+")
    return Job(**vars(parser.parse_args()))


if __name__ == "__main__":
    exit_with_message(lambda: perform(_job()))

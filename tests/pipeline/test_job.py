"""One job of a reproduction: what its clone has, and how it ends."""

import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from filelock import FileLock

from clones import call, commit, folder, started
from ganvae.core import lock
from ganvae.core.errors import UserError
from ganvae.core.paths import ProfilePaths
from ganvae.pipeline import cluster, job
from ganvae.pipeline.board import Board
from ganvae.pipeline.dvc import Children
from ganvae.pipeline.job import Job, perform
from ganvae.pipeline.owner import OWNER, owned
from ganvae.pipeline.queues import Resources

__all__ = ["folder"]  # a fixture

RUN = ProfilePaths("toy").run("toy-0")
STAGE = """\
  {name}:
    cmd: python stages/{name}.py
    deps: [{deps}]
    outs: [{outs}]
"""
INSTANCES = """\
  {name}:
    foreach: [toy-0]
    do:
      cmd: python stages/{name}.py
      deps: [{deps}]
      outs: [{outs}]
      metrics: [{metrics}]
"""

LOG = "print({name!r}, file=open(f'{{Path.cwd()}}.started', 'a'))"


def make_profile(root: Path) -> None:
    """Write a profile with one run, whose stages copy files."""
    stages = [
        STAGE.format(name="prepare", deps="raw", outs="data/toy/train"),
        STAGE.format(name="reference", deps="raw", outs="data/toy/reference"),
        INSTANCES.format(
            name="train",
            deps="data/toy/train",
            outs=f"{RUN.weights}, {RUN.progress}, {RUN.history}: {{cache: false}}",
            metrics=f"{RUN.outcome}: {{cache: false}}",
        ),
        INSTANCES.format(
            name="evaluate",
            deps=f"judge, {RUN.weights}, {RUN.outcome}, {RUN.progress}, {RUN.history}",
            outs="",
            metrics=f"{RUN.scores}: {{cache: false}}",
        ),
    ]
    writes: dict[str, list[Path]] = {
        "prepare": [Path("data/toy/train")],
        "reference": [Path("data/toy/reference")],
        "train": [RUN.weights, RUN.progress / "0.png", RUN.history, RUN.outcome],
        "evaluate": [RUN.scores],
    }
    (root / "stages").mkdir(parents=True)
    for name, paths in writes.items():
        lines = ["from pathlib import Path", LOG.format(name=name)]
        for path in map(str, paths):
            lines.append(f"Path({path!r}).parent.mkdir(parents=True, exist_ok=True)")
            lines.append(f"Path({path!r}).write_text(Path('judge').read_text() + {path!r})")
        (root / f"stages/{name}.py").write_text("\n".join(lines))
    (root / "src/ganvae").mkdir(parents=True)  # else it were a project, which writes tokens
    (root / "src/ganvae/empty.txt").touch()
    (root / ".gitignore").write_text("/data\n/artifacts\n/.state\n")
    for name in ("raw", "judge"):
        (root / name).write_text("old")
    (root / "dvc.yaml").write_text("stages:\n" + "".join(stages))


@pytest.fixture(scope="module")
def head(folder: Path) -> Path:
    """A clone in which everything was performed, and then the judge was changed."""
    root = folder / "head"
    make_profile(root)
    call(root, "git init --quiet")
    call(root, "dvc init --quiet")
    call(root, "dvc repro --quiet")
    (root / ".state/jobs").mkdir(parents=True)
    (root / ".state/jobs/dvc.lock").write_bytes((root / "dvc.lock").read_bytes())
    (root / "judge").write_text("new")
    commit(root)
    return root


def job_of(head: Path, *stages: str) -> Job:
    process = head / ".git/refs/heads"
    newest = next(process.iterdir()).read_text().strip()
    cache, jobs = head / ".dvc/cache", head / ".state/jobs"
    return Job(head, newest, jobs / "toy-0", cache, Path("dvc.yaml"), "toy", stages)


@pytest.mark.slow
def test_a_run_that_is_trained_is_evaluated_and_not_trained_again(head: Path) -> None:
    evaluation = job_of(head, "evaluate@toy-0")
    # Another clone has trained, so DVC's cache does not know the files that git keeps.
    call(head, "rm -r .dvc/cache/runs")
    perform(evaluation)
    assert evaluation.done.exists()
    assert started(evaluation.folder) == ["evaluate"]
    assert (evaluation.folder / RUN.scores).read_text() == f"new{RUN.scores}"
    assert not (evaluation.folder / RUN.timing).exists()
    perform(evaluation)  # as after a loss
    assert started(evaluation.folder) == ["evaluate"], "DVC has its result"


def pretended(tmp_path: Path) -> Job:
    """A job whose clone and stages are replaced by a test."""
    return Job(tmp_path, "", tmp_path / "toy-0", tmp_path, Path("dvc.yaml"), "toy", ["train@toy-0"])


def test_a_host_without_git_is_named_as_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        perform(pretended(tmp_path))
    reason = pretended(tmp_path).failed.read_text()
    assert reason == f"\ngit: No such file or directory (on host {socket.gethostname()}).\n"


def test_only_the_files_of_the_same_commit_say_that_a_job_has_ended(tmp_path: Path) -> None:
    """A job of an earlier head may end while this job waits for it, and for another commit."""
    old, new = (replace(pretended(tmp_path), commit=commit) for commit in ("old", "new"))
    assert not new.is_done
    new.done.write_text("old")
    new.failed.write_text("old\na reason\n")
    assert (old.is_done, old.failure) == (True, "a reason")
    assert (new.is_done, new.failure) == (False, None)


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_job_waits_for_a_lost_job_that_still_works(
    succeeds: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    waiting = pretended(tmp_path)
    performed: list[str] = []
    monkeypatch.setattr(lock, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(job, "_clone", lambda job: performed.append("cloned"))
    monkeypatch.setattr(job, "_dvc", lambda *arguments: None)

    def work_and_end() -> None:
        with FileLock(tmp_path / "toy-0.lock"):
            working.set()
            while "waits until the other job has ended" not in printed():
                time.sleep(0.01)
            assert performed == []
            if succeeds:
                waiting.done.touch()

    def printed() -> str:
        lines.append(capsys.readouterr().out)
        return "".join(lines)

    lines: list[str] = []
    working = Event()
    with ThreadPoolExecutor() as pool:
        lost = pool.submit(work_and_end)
        assert working.wait(60)
        perform(waiting)
        lost.result()
    assert performed == ([] if succeeds else ["cloned"])
    assert waiting.done.exists()


class Queued:
    """A queue whose jobs end at once: all are lost before the job of a given number."""

    grace = -1.0

    def __init__(self, done: int, job: Job) -> None:
        self.submitted = 0
        self.removed: list[str] = []
        self.cancelled: list[tuple[str, Sequence[str]]] = []
        self._done = done
        self._job = job

    def submit(self, *arguments: object) -> object:
        self.submitted += 1
        if self.submitted == self._done:
            self._job.folder.mkdir()
            self._job.done.touch()
        number = str(self.submitted)
        return SimpleNamespace(job_id=number, paths=SimpleNamespace(stderr=f"{number}_0_log.err"))

    def alive(self, submitted: object) -> bool:
        return False

    def cancel(self) -> None:
        pass

    def cancel_all(self, name: str, ids: Sequence[str]) -> None:
        self.cancelled.append((name, ids))

    def remove_files(self, submitted: Any) -> None:
        self.removed.append(submitted.job_id)


def runner_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, done: int
) -> tuple[cluster.Cluster, Queued]:
    """What performs a run as jobs, and its queue, in which the job of a given number is done."""
    ready = pretended(tmp_path)
    queue = Queued(done, ready)
    jobs = SimpleNamespace(
        root=tmp_path, folder=tmp_path, job=lambda *arguments: ready, begin=lambda: None
    )
    monkeypatch.setattr(cluster, "Jobs", lambda pipeline: jobs)
    monkeypatch.setattr(cluster, "Queue", lambda *arguments: queue)
    monkeypatch.setattr(cluster, "POLL_SECONDS", 0.0)
    children = Children(Board())
    monkeypatch.setattr(children, "run", lambda *arguments, **options: None)
    return cluster.Cluster(Path("dvc.yaml"), children, "local", Resources()), queue


def test_a_job_that_is_lost_too_often_names_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, queue = runner_of(monkeypatch, tmp_path, done=99)
    with pytest.raises(UserError, match=r"toy-0: the job was lost 5 times\. .* is in 5_0_log\.err"):
        runner.run("toy-0", ["train@toy-0"])
    runner.end()
    assert queue.removed == []


def test_the_logs_of_a_collected_run_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, queue = runner_of(monkeypatch, tmp_path, done=2)
    runner.run("toy-0", ["train@toy-0"])
    runner.end()
    assert queue.removed == ["1", "2"]


def test_jobs_of_a_killed_head_are_cancelled_when_their_run_is_collected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, _ = runner_of(monkeypatch, tmp_path, done=99)
    with pytest.raises(UserError):
        runner.run("toy-0", ["train@toy-0"])
    again, queue = runner_of(monkeypatch, tmp_path, done=1)
    again.run("toy-0", ["train@toy-0"])
    assert queue.cancelled == [("toy-0", ["1", "2", "3", "4", "5", "1"])]
    assert list(tmp_path.iterdir()) == []


def test_jobs_of_a_killed_head_at_another_commit_are_cancelled_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "toy-0.jobs").write_text("7 old\n8 \n9 old\n")
    runner, queue = runner_of(monkeypatch, tmp_path, done=1)
    runner.run("toy-0", ["train@toy-0"])
    assert queue.cancelled[0] == ("toy-0", ["7", "9"])


@pytest.mark.parametrize("folder", [True, False])
def test_what_a_killed_head_has_collected_is_removed(
    folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head is killed before or after it removes the folder of the job."""
    (tmp_path / "toy-0.5.done").touch()
    (tmp_path / "toy-0.5.jobs").write_text("7\n")
    if folder:
        (tmp_path / "toy-0.5").mkdir()
    (tmp_path / "toy-1").mkdir()
    runner, queue = runner_of(monkeypatch, tmp_path, done=1)
    runner.begin()
    assert queue.cancelled == [("toy-0.5", ["7"])]
    assert list(tmp_path.iterdir()) == [tmp_path / "toy-1"]


def test_dvc_belongs_to_its_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """So a training ends with its job: see test_owner.py."""
    script = f"import os; print(os.environ[{OWNER!r}], os.getpid() == os.getsid(0))"
    monkeypatch.setattr(job, "DVC", (sys.executable, "-c", script))
    (tmp_path / "toy-0").mkdir()
    job._dvc(pretended(tmp_path), "repro")
    assert capfd.readouterr().out == f"{owned()[OWNER]} True\n"


@pytest.mark.parametrize("others", ["", "/own/packages"])
def test_the_code_of_the_job_comes_before_other_packages(
    others: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(job, "DVC", ("printenv",))
    monkeypatch.setenv("PYTHONPATH", others)
    (tmp_path / "toy-0").mkdir()
    job._dvc(pretended(tmp_path), "PYTHONPATH")
    assert capfd.readouterr().out.strip().split(":") == [
        str(tmp_path / "toy-0/src"),
        *filter(None, [others]),
    ]


@pytest.fixture
def source(tmp_path: Path) -> Job:
    """A job that clones a repository with results."""
    root = tmp_path / "source"
    for name in ("src/ganvae/empty.txt", "dvc.yaml", "results/scores.json"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    call(root, "git init --quiet")
    commit(root)
    return Job(root, "HEAD", tmp_path / "toy-0", root, Path("dvc.yaml"), "toy", ["train@toy-0"])


LOST = """
import os, sys
from pathlib import Path
from ganvae.pipeline import job

def lost(*command, run=job._run):
    if sys.argv[1] in command:
        os._exit(9)
    run(*command)

job._run = lost
root, folder = Path("source").resolve(), Path("toy-0").resolve()
job.perform(job.Job(root, "HEAD", folder, root, Path("dvc.yaml"), "toy", ["train@toy-0"]))
"""


@pytest.mark.parametrize("command", ["sparse-checkout", "fetch"])
def test_a_job_that_is_lost_while_it_clones_can_be_repeated(
    command: str, source: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = [sys.executable, "-c", LOST, command]
    assert subprocess.run(program, cwd=tmp_path, check=False).returncode == 9
    monkeypatch.setattr(job, "_dvc", lambda *arguments: None)
    perform(source)
    assert {path.name for path in source.folder.iterdir()} == {".git", "src", "dvc.yaml"}
    assert not list(tmp_path.glob("*.tmp"))


def test_locks_that_a_lost_job_has_left_are_removed(
    source: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "_dvc", lambda *arguments: None)
    perform(source)
    left = ["index.lock", "config.lock", "HEAD.lock", "info/sparse-checkout.lock"]
    locks = [source.folder / ".git" / name for name in left]
    locks.append(source.folder / ".dvc/tmp/rwlock")
    for path in locks:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    perform(source)
    assert not any(path.exists() for path in locks)


def test_jobs_read_a_copy_of_the_lock_while_dvc_writes_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "src/ganvae").mkdir(parents=True)
    for name in ("src/ganvae/empty.txt", "dvc.yaml", "dvc.lock"):
        (tmp_path / name).write_text("committed")
    (tmp_path / ".gitignore").write_text("/.state")
    call(tmp_path, "git init --quiet")
    commit(tmp_path)
    (tmp_path / "dvc.lock").write_text("whole")
    params = SimpleNamespace(root=".", promotions="dvc.yaml", judge="dvc.yaml", profile="toy")
    monkeypatch.setattr(cluster, "load_params", lambda path: params)
    monkeypatch.setattr(cluster, "systems_of", lambda root: [])
    monkeypatch.setattr(cluster, "run_dvc", lambda *arguments, root: "cache")
    jobs = cluster.Jobs(tmp_path / "dvc.yaml")
    jobs.begin()
    (tmp_path / "dvc.lock").write_text("ha")
    ready = jobs.job("toy-0", ["train@toy-0"])
    monkeypatch.setattr(job, "_dvc", lambda *arguments: None)
    perform(ready)
    assert (ready.folder / "dvc.lock").read_text() == "whole"
    (tmp_path / "dvc.lock").unlink()
    jobs.begin()
    assert not ready.lock.exists()

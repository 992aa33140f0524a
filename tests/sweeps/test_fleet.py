"""Workers of a study as jobs: lost ones are replaced, and nothing goes on without progress."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ganvae.core.errors import UserError
from ganvae.pipeline.cluster import ATTEMPTS
from ganvae.pipeline.queues import Queue, Resources
from ganvae.sweeps import fleet
from ganvae.sweeps.fleet import STORAGE, work_on
from slurm import slurm
from toy_study import URL, create, done, finish, ganvae, make_profile, trials

Worker = Callable[[int], tuple[int, str] | None]
"""What the n-th submitted worker does: the result of its work, or None if it is lost."""


@pytest.fixture(autouse=True)
def _profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fleet, "POLL_SECONDS", 0.0)
    monkeypatch.setenv(STORAGE, "")
    make_profile()


class Pretended:
    """A queue whose jobs end at once."""

    grace = -1.0

    def __init__(self, does: Worker, where: str = "local") -> None:
        self.where = where
        self.names: list[str] = []
        self.cancelled = False
        self._does = does

    def submit(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        assert URL not in map(str, arguments), "the URL of a storage may have a password"
        assert os.environ[STORAGE] == URL
        result = self._does(len(self.names))
        file = Path(f"{len(self.names)}.pkl")
        if result:
            file.touch()
        self.names.append(name)
        paths = SimpleNamespace(result_pickle=file, stderr=Path("log"))
        return SimpleNamespace(job_id=str(len(self.names)), paths=paths, result=lambda: result)

    def alive(self, submitted: Any) -> bool:
        return False

    def cancel(self) -> None:
        self.cancelled = True


def run(queue: Any, jobs: int = 2) -> int:
    create()
    return work_on(queue, jobs, "toy", URL, None)


def test_each_worker_is_a_job(capsys: pytest.CaptureFixture[str]) -> None:
    queue = Pretended(lambda number: (number + 1, ""))
    assert run(queue, jobs=3) == 1 + 2 + 3
    assert queue.names == ["toy-0", "toy-1", "toy-2"]
    assert not queue.cancelled
    assert "0 trials done, 3 workers" in capsys.readouterr().out


def test_a_lost_worker_is_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    queue = Pretended(lambda number: None if number == 0 else (1, ""))
    assert run(queue) == 2
    assert queue.names == ["toy-0", "toy-1", "toy-0"]
    assert "worker 0: job 1 was lost" in capsys.readouterr().out


def test_a_worker_that_is_lost_again_and_again_is_given_up() -> None:
    queue = Pretended(lambda number: None)
    with pytest.raises(UserError, match=f"worker 0 was lost {ATTEMPTS} times, and no trial was"):
        run(queue, jobs=1)
    assert len(queue.names) == ATTEMPTS
    assert queue.cancelled


def test_workers_that_are_lost_at_one_moment_are_all_replaced() -> None:
    """For example when the controller of the cluster restarts."""
    workers = ATTEMPTS + 1
    queue = Pretended(lambda number: None if number < workers else (1, ""))
    assert run(queue, jobs=workers) == workers
    assert len(queue.names) == 2 * workers


def test_the_message_of_a_worker_that_failed_is_shown_and_the_others_are_cancelled() -> None:
    queue = Pretended(lambda number: (0, "the disk is full."))
    with pytest.raises(UserError, match=r"worker 0: the disk is full\."):
        run(queue)
    assert queue.cancelled


def test_a_worker_that_failed_with_a_bug_names_its_log() -> None:
    class Failed(Pretended):
        def submit(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
            submitted = super().submit(name, function, *arguments)

            def result() -> None:
                raise RuntimeError("Job (task=0) failed with trace:\nZeroDivisionError")

            submitted.result = result
            return submitted

    queue = Failed(lambda number: (0, ""))
    with pytest.raises(UserError, match=r"worker 0: its job failed\. The traceback is in log\.$"):
        run(queue)
    assert queue.cancelled


def test_a_worker_at_its_time_limit_counts_as_lost() -> None:
    """SLURM sends SIGUSR2 to a job before its time limit."""

    def work(*arguments: Any) -> int:
        try:
            os.kill(os.getpid(), signal.SIGUSR2)
            time.sleep(60)
        except KeyboardInterrupt:
            print("the trial is given back", flush=True)
            raise
        return 1

    def in_a_job() -> tuple[int, str]:
        from ganvae.sweeps import fleet

        os.environ[STORAGE] = URL
        fleet.work = work
        return fleet._work("toy", None)

    job = Queue("local", Resources(), Path()).submit("worker", in_a_job)
    deadline = time.monotonic() + 300
    while not job.done():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "the trial is given back" in job.paths.stdout.read_text()
    assert not job.paths.result_pickle.exists(), "so it is submitted again"


def test_a_file_is_no_storage_for_several_hosts() -> None:
    queue = Pretended(lambda number: (1, ""), where="slurm")
    with pytest.raises(UserError, match=r"SQLite cannot be shared by several hosts\. Give"):
        run(queue)
    assert queue.names == []


@pytest.mark.slow
def test_two_workers_on_slurm_finish_a_study_on_postgresql(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(url=postgres_url)
    monkeypatch.setenv(STORAGE, postgres_url)
    (tmp_path / "slurm").mkdir()
    with slurm(tmp_path / "slurm") as nodes:
        monkeypatch.setenv("SLURM_CONF", str(nodes.conf))
        command = ["worker", "--study", "toy", "--on", "slurm", "--jobs", "2", "--time", "10"]
        output = finish(ganvae("sweep", *command))
    assert output.endswith("3 trials run by 2 workers\n"), output
    assert len(done(trials(postgres_url))) == 3
    for file in Path(".state/jobs/logs").rglob("*"):
        assert file.is_dir() or postgres_url.encode() not in file.read_bytes()

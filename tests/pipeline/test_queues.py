"""Which jobs are alive, with stand-ins for the commands of SLURM."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from submitit.core.utils import FailedJobError

from ganvae.core.errors import UserError
from ganvae.pipeline import owner, queues
from ganvae.pipeline.queues import Queue, Resources

SQUEUE = """\
#!/bin/sh
echo "$@" >>asked
test -e down && echo "slurm_load_jobs error: Unable to contact slurm controller" >&2 && exit 1
cat queued
"""


class Executor:
    """Stands in for submitit: it gives each job the next number."""

    submitted: list[str]
    cancelled: list[str]

    def __init__(self, **options: Any) -> None:
        pass

    def update_parameters(self, **parameters: Any) -> None:
        pass

    def submit(self, function: Any, *arguments: Any) -> Any:
        if arguments:
            raise FailedJobError(*arguments)
        number = str(len(self.submitted) + 1)
        self.submitted.append(number)
        return SimpleNamespace(job_id=number, cancel=lambda: self.cancelled.append(number))


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Queue:
    monkeypatch.chdir(tmp_path)
    for name in ("squeue", "sbatch", "scancel"):
        Path(name).write_text(SQUEUE)
        Path(name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    Executor.submitted, Executor.cancelled = [], []
    monkeypatch.setattr(queues, "_submitit", lambda: SimpleNamespace(AutoExecutor=Executor))
    Path("queued").touch()
    return Queue("slurm", Resources(), tmp_path)


def asked() -> int:
    return len(Path("asked").read_text().splitlines())


def test_a_job_is_alive_until_it_leaves_the_queue(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "POLL_SECONDS", 0.0)
    job = queue.submit("a", print)
    Path("queued").write_text("1\n12\n")
    assert queue.alive(job)
    Path("queued").write_text("12\n")
    assert not queue.alive(job)


def test_a_controller_that_does_not_answer_has_lost_no_job(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "POLL_SECONDS", 0.0)
    job = queue.submit("a", print)
    Path("down").touch()
    assert queue.alive(job)
    Path("down").unlink()
    assert not queue.alive(job)


def test_all_jobs_share_one_question(queue: Queue) -> None:
    jobs = [queue.submit(name, print) for name in "abc"]
    Path("queued").write_text("1\n2\n")
    assert [queue.alive(job) for job in jobs] == [True, True, False]
    assert asked() == 1
    assert Path("asked").read_text() == "--noheader --format=%A --me\n"


def test_a_job_is_not_sought_in_an_older_answer(queue: Queue) -> None:
    assert not queue.alive(SimpleNamespace(job_id="7"))
    time.sleep(0.01)
    assert queue.alive(queue.submit("a", print))
    assert asked() == 1


def test_a_job_that_slurm_refuses_is_an_error_of_one_line(queue: Queue) -> None:
    refused = "sbatch: error: invalid partition specified: nope"
    with pytest.raises(UserError, match=f"a job cannot be submitted: {refused}"):
        queue.submit("a", print, refused)


def test_the_files_of_a_job_are_removed_and_no_others(queue: Queue, tmp_path: Path) -> None:
    job = queue.submit("a", print)
    logs = queue._logs
    assert logs.parent == tmp_path / queues.FOLDER / "logs"
    logs.mkdir(parents=True)
    for name in ("1_0_log.err", "1_submitted.pkl", "12_0_log.err"):
        (logs / name).touch()
    queue.remove_files(job)
    assert [path.name for path in logs.iterdir()] == ["12_0_log.err"]
    (logs / "12_0_log.err").unlink()
    queue.remove_files(job)
    assert not logs.exists()


def test_what_has_ended_is_not_cancelled(queue: Queue) -> None:
    jobs = [queue.submit(name, print) for name in "abc"]
    Path("queued").write_text("1\n2\n3\n")
    assert all(map(queue.alive, jobs))
    Path("queued").write_text("2\n")
    queue.cancel()
    assert Executor.cancelled == ["2"]
    assert asked() == 2


@pytest.mark.parametrize("where", ["slurm", "local"])
def test_jobs_of_an_earlier_head_are_cancelled_by_name_and_id(queue: Queue, where: str) -> None:
    """Ids of local jobs are process ids, which may belong to any other process by now."""
    queue.where = where  # type: ignore[assignment]
    queue.cancel_all("a", [])
    queue.cancel_all("a", ["1", "2"])
    asked = Path("asked").read_text() if Path("asked").exists() else ""
    assert asked == ("--name=a 1 2\n" if where == "slurm" else "")


@pytest.mark.parametrize("gpus", ["0,1", None])
def test_a_job_on_this_machine_sees_the_gpus_that_its_head_sees(
    gpus: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(queues.GPUS, raising=False)
    if gpus is not None:
        monkeypatch.setenv(queues.GPUS, gpus)
    job = Queue("local", Resources(), tmp_path).submit("a", os.environ.get, queues.GPUS)
    assert job.result() == gpus


HEAD = """
import sys, time
from pathlib import Path
from ganvae.pipeline.queues import Queue, Resources

queue = Queue("local", Resources(), Path(sys.argv[1]))
queue.submit("a", exec, f"import os, time; print(os.getpid(), flush=True); time.sleep(60)")
time.sleep(60)
"""


def test_a_job_on_this_machine_ends_with_its_head_even_if_the_head_is_killed(
    tmp_path: Path,
) -> None:
    head = subprocess.Popen([sys.executable, "-c", HEAD, str(tmp_path)], start_new_session=True)

    def printed() -> list[str]:  # the job's process id, after lines of submitit
        lines = [line for log in tmp_path.rglob("*_log.out") for line in log.read_text().split()]
        return [line for line in lines if line.isdigit()]

    while not (found := printed()):
        assert head.poll() is None
        time.sleep(0.1)
    job = psutil.Process(int(found[0]))
    time.sleep(2 * owner.POLL_SECONDS)
    assert job.is_running(), "its head lives"
    head.kill()
    head.wait()
    psutil.wait_procs([job], timeout=30)
    assert not job.is_running()

"""Kill, interrupt and start twice: a match says so in one line, and loses nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ganvae.core.errors import UserError
from ganvae.core.files import write_json
from ganvae.core.lock import alone
from ganvae.matches import run
from ganvae.matches.run import run_match
from ganvae.matches.spec import Match
from ganvae.scores.matches import MATCHES, match_path, read_stage, write_trained
from toy_match import NAME, record, shared, write_match
from toy_study import WORKER, make_profile

SECONDS = 120
LOCK = Path(".state/matches") / f"{NAME}.lock"


@pytest.fixture
def match(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Match:
    monkeypatch.chdir(tmp_path)
    make_profile()
    return write_match(trials=20, seconds=2.0)


@pytest.fixture
def running(match: Match) -> Iterator["subprocess.Popen[str]"]:
    """A match with two workers, one of which has finished a training run."""
    process = subprocess.Popen(
        [sys.executable, str(WORKER), "--", "sweep", "match", NAME, "--workers", "2"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait(lambda: bool(list(MATCHES.glob(f"{NAME}/search/*.json"))), process)
        yield process
    finally:
        for pid in [process.pid, *workers_of(process)]:
            kill(pid, signal.SIGKILL)
        process.communicate()


def wait(is_done: Callable[[], bool], process: "subprocess.Popen[str] | None" = None) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_done():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def workers_of(process: "subprocess.Popen[str]") -> list[int]:
    """The ids of the worker processes, which share the session of their parent."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            session = os.getsid(int(folder.name))
            command = (folder / "cmdline").read_text()
        except (OSError, ValueError):  # ended meanwhile
            continue
        if session == process.pid and "multiprocessing.spawn" in command:
            found.append(int(folder.name))
    return found


def kill(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def check_nothing_is_lost() -> None:
    assert read_stage(Path(), NAME, "search")
    assert not list(MATCHES.rglob("*.tmp"))
    with alone(LOCK, "the lock is still held"):
        pass


@pytest.mark.slow
def test_a_killed_worker_is_one_clear_line(running: "subprocess.Popen[str]") -> None:
    reported = 2  # with three records, the line of the first was printed
    wait(lambda: len(list(MATCHES.glob(f"{NAME}/search/*.json"))) > reported, running)
    first, second = workers_of(running)
    os.kill(first, signal.SIGKILL)
    output, errors = running.communicate(timeout=SECONDS)
    assert running.returncode == 1
    assert errors.startswith("error: a worker process of match toy was killed")
    assert errors.count("\n") == 1
    assert "CPU-seconds" in output
    assert not Path(f"/proc/{second}").exists()
    check_nothing_is_lost()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_match_says_how_to_go_on(
    running: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    if number == signal.SIGINT:  # Ctrl-C reaches all processes of a terminal
        os.killpg(running.pid, number)
    else:
        os.kill(running.pid, number)
    _, errors = running.communicate(timeout=SECONDS)
    assert running.returncode == 130
    message = "interrupted: run the same command again to resume from the last checkpoints\n"
    assert errors == message
    check_nothing_is_lost()


@pytest.mark.slow
def test_workers_end_with_a_killed_match(running: "subprocess.Popen[str]") -> None:
    workers = workers_of(running)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    check_nothing_is_lost()


def test_a_match_that_runs_already_is_not_started_again(match: Match) -> None:
    with (
        alone(LOCK, "nobody else"),
        pytest.raises(UserError, match="match toy is already running in this folder"),
    ):
        run_match(NAME)
    assert not MATCHES.exists()


def test_a_folder_that_cannot_be_written_is_named(match: Match) -> None:
    Path("results").write_text("a file")
    with pytest.raises(UserError, match=r"cannot write results/matches/toy/match\.json"):
        run_match(NAME)
    LOCK.unlink()
    LOCK.mkdir()
    with pytest.raises(UserError, match=f"cannot write {LOCK}"):
        run_match(NAME)


def test_a_sitting_deletes_the_checkpoints_of_recorded_training_runs(
    match: Match, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Path(f".state/matches/{NAME}/search")
    (work / "gan-00/probe").mkdir(parents=True)
    (work / "gan-01/probe").mkdir(parents=True)
    write_trained(Path(), NAME, record(match, "gan", 0))
    monkeypatch.setattr(run, "_write_record", lambda *_: None)
    monkeypatch.setattr(run, "_run", lambda *_: "no training run")
    monkeypatch.setattr(run, "write_report", lambda *_: None)
    run_match(NAME)
    assert [path.name for path in work.iterdir()] == ["gan-01"]


def test_missing_data_are_named_with_the_command_that_prepares_them(match: Match) -> None:
    Path("data/toy/train.safetensors").unlink()
    with pytest.raises(UserError, match=r"train.safetensors is missing. Run `dvc repro"):
        run_match(NAME)


def test_a_changed_match_file_is_refused_before_any_training(match: Match) -> None:
    write_json(match_path(NAME), shared(match).model_dump(mode="json"))
    write_trained(Path(), NAME, record(match, "gan", 0))
    write_match(trials=19, seconds=2.0)
    with pytest.raises(UserError, match=r"match_sha256 has changed.*give the match another name"):
        run_match(NAME)

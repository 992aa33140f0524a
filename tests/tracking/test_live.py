"""Test that MLflow shows runs during training, and that their results complete these runs."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Run
from PIL import Image
from toy_results import PROFILE, ROWS, STEPS, write_results, write_score

from ganvae.core.live import FOLDER, LiveLog, LiveRun, read_live, start_follower
from ganvae.pipeline import runners
from ganvae.tracking import batches, store
from ganvae.tracking.follower import Follower
from ganvae.tracking.live import adopt
from ganvae.tracking.runs import read_runs
from ganvae.tracking.store import connected, find_store
from ganvae.tracking.sync import sync

RUN = LiveRun(
    profile=PROFILE,
    run="vae-0",
    variant="vae",
    family="vae",
    seed=0,
    dataset="mnist",
    config={"batch_size": 128, "hidden": [500, 500], "beta": None},
    fingerprint="a" * 16,
    started=1.6e9,
    samples=".state/aaaa/samples",
)
LOG = FOLDER / PROFILE / "vae-0.jsonl"
PATIENCE = 300.0  # seconds


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without runs. Creating its schema takes seconds, so tests copy it."""
    path = tmp_path_factory.mktemp("blank") / "mlflow.db"
    with connected(find_store(f"sqlite:///{path}")):
        return path


@pytest.fixture
def root(tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with an empty database, and a training run that has drawn one grid."""
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    shutil.copy(blank, tmp_path / "mlflow.db")
    draw(tmp_path, 0)
    return tmp_path


@pytest.fixture
def client(root: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{root / 'mlflow.db'}")


@pytest.fixture
def follower(root: Path) -> Follower:
    return Follower(root, find_store())


@pytest.fixture
def log(root: Path) -> Iterator[LiveLog]:
    with closing(LiveLog(root, RUN)) as log:
        yield log


def draw(root: Path, step: int) -> None:
    """Draw the sample grid of a step."""
    path = root / RUN.samples / f"step-{step:07}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((64, 64), step % 256, np.uint8)).save(path)


def train(log: LiveLog, first: int, last: int) -> None:
    """Log the rows of these steps, with the values of the toy results."""
    for step in range(first, last + 1):
        log.add({"step": step, "epoch": step / 430, "loss": step / 7, "kl": step / 7})


def finish(root: Path) -> None:
    """Write results and delete the state, as at the end of a training run."""
    shutil.rmtree(root / ".state/aaaa")
    write_results(root)


def runs(client: MlflowClient, name: str = "vae-0") -> list[Run]:
    experiment = client.get_experiment_by_name("mnist")
    recorded = client.search_runs([experiment.experiment_id]) if experiment else []
    return [run for run in recorded if run.info.run_name == name]


def the_run(client: MlflowClient) -> Run:
    (run,) = runs(client)
    return run


def points(client: MlflowClient, run: Run, name: str = "losses/kl") -> list[Metric]:
    return list(client.get_metric_history(run.info.run_id, name))


def steps(client: MlflowClient) -> list[int]:
    """The steps that have a point in both curves, one entry per point.

    The curves are read one after the other, so no process may write meanwhile.
    """
    run = the_run(client)
    kl, loss = (sorted(p.step for p in points(client, run, f"losses/{n}")) for n in ("kl", "loss"))
    assert kl == loss
    return kl


def has_points(client: MlflowClient, count: int) -> bool:
    """Whether each curve has this many points. Another process may write meanwhile."""
    run = the_run(client)
    return all(len(points(client, run, f"losses/{n}")) >= count for n in ("kl", "loss"))


def grids(client: MlflowClient) -> Counter[int]:
    """The number of sample grids by step.

    Only the small version is counted. It is written last, and a killed process may leave a large
    version without it.
    """
    files = client.list_artifacts(the_run(client).info.run_id, "images")
    return Counter(int(file.path.split("+")[2]) for file in files if file.path.endswith(".webp"))


def wait_for(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, "the process has ended"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_rows_appear_as_they_are_written(
    log: LiveLog, follower: Follower, client: MlflowClient
) -> None:
    train(log, 1, 3)
    follower.step()
    assert steps(client) == [1, 2, 3]
    train(log, 4, 5)
    follower.step()
    assert steps(client) == [1, 2, 3, 4, 5]
    values = {point.step: point.value for point in points(client, the_run(client))}
    assert values == {step: step / 7 for step in range(1, 6)}


def test_points_have_the_time_of_their_row(
    root: Path, log: LiveLog, follower: Follower, client: MlflowClient
) -> None:
    train(log, 1, 3)
    follower.step()
    written = {int(row["step"]): int(row["time"] * 1000) for row in read_live(root / LOG).rows}
    shown = {point.step: point.timestamp for point in points(client, the_run(client))}
    assert shown == written


def test_the_run_exists_before_its_first_row_with_all_tags_and_params(
    log: LiveLog, follower: Follower, client: MlflowClient
) -> None:
    follower.step()
    run = the_run(client)
    expected = {
        "ganvae.key": "toy/vae-0",
        "ganvae.live": RUN.fingerprint,
        "current": "live",
        "level": "run",
        "profile": "toy",
        "variant": "vae",
        "family": "vae",
        "seed": "0",
        "dataset": "mnist",
        "dvc.stage": "train@vae-0",
    }
    assert {name: run.data.tags.get(name) for name in expected} == expected
    assert run.data.params == {"batch_size": "128", "hidden": "[500, 500]", "beta": "null"}
    assert run.info.status == "RUNNING"
    assert run.info.start_time == 1_600_000_000_000


def test_sample_grids_appear_once(
    root: Path, log: LiveLog, follower: Follower, client: MlflowClient
) -> None:
    follower.step()
    assert grids(client) == {0: 1}
    draw(root, 500)
    follower.step()
    train(log, 1, 1)
    Follower(root, find_store()).step()  # another follower without state
    assert grids(client) == {0: 1, 500: 1}


def test_without_new_rows_the_follower_does_not_connect(
    log: LiveLog, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(log, 1, 3)
    follower.step()
    monkeypatch.setattr("ganvae.tracking.follower.connected", None)
    follower.step()


def test_a_failure_half_way_loses_and_repeats_no_value(
    log: LiveLog, follower: Follower, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(log, 1, 3)
    with monkeypatch.context() as broken:
        broken.setattr(MlflowClient, "log_image", _full_disk)
        follower.step()
    assert steps(client) == [1, 2, 3]
    train(log, 4, 5)
    follower.step()
    assert steps(client) == [1, 2, 3, 4, 5]
    assert grids(client) == {0: 1}


def _full_disk(*_: object, **__: object) -> None:
    raise OSError("no space left on device")


def test_long_logs_go_in_several_calls(
    log: LiveLog, follower: Follower, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "METRICS_PER_CALL", 3)
    monkeypatch.setattr(batches, "PARAMS_PER_CALL", 2)
    train(log, 1, 5)
    follower.step()
    assert steps(client) == [1, 2, 3, 4, 5]
    assert len(the_run(client).data.params) == 3


@pytest.mark.slow
def test_a_killed_follower_that_is_started_again_continues(
    root: Path, log: LiveLog, client: MlflowClient
) -> None:
    train(log, 1, 400)
    first = start_follower()
    wait_for(lambda: bool(runs(client) and points(client, the_run(client))), first)
    first.send_signal(signal.SIGKILL)
    first.wait()
    train(log, 401, 500)
    draw(root, 500)
    second = start_follower()
    wait_for(lambda: has_points(client, 500) and 500 in grids(client), second)
    second.terminate()
    second.wait()
    assert steps(client) == list(range(1, 501))
    assert grids(client) == {0: 1, 500: 1}


@pytest.mark.slow
def test_a_follower_ends_with_the_process_that_started_it(root: Path) -> None:
    script = "from ganvae.core.live import start_follower; print(start_follower().pid, flush=True)"
    script += "; input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()
    deadline = time.monotonic() + PATIENCE
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_training_resumed_after_a_crash_is_the_same_run(
    root: Path, log: LiveLog, follower: Follower, client: MlflowClient
) -> None:
    train(log, 1, 5)
    with (root / LOG).open("a") as file:
        file.write('{"time": 1.0, "st')  # killed while writing
    follower.step()
    with closing(LiveLog(root, replace(RUN, started=1.7e9))) as again:
        train(again, 3, 8)  # from a checkpoint before the last row
    follower.step()
    assert steps(client) == list(range(1, 9))
    Follower(root, find_store()).step()
    assert steps(client) == list(range(1, 9))


def test_a_training_with_other_parameters_replaces_the_live_run(
    root: Path, log: LiveLog, follower: Follower, client: MlflowClient
) -> None:
    train(log, 1, 5)
    follower.step()
    other = replace(RUN, fingerprint="b" * 16, config={"batch_size": 64}, started=1.7e9)
    with closing(LiveLog(root, other)) as anew:
        train(anew, 1, 2)
    follower.step()
    assert the_run(client).data.params == {"batch_size": "64"}
    assert steps(client) == [1, 2]


def test_a_deleted_live_run_is_created_again_with_all_points(
    log: LiveLog, follower: Follower, client: MlflowClient
) -> None:
    train(log, 1, 3)
    follower.step()
    client.delete_run(the_run(client).info.run_id)
    train(log, 4, 5)
    follower.step()
    assert steps(client) == [1, 2, 3, 4, 5]
    assert grids(client) == {0: 1}


@pytest.mark.parametrize("streamed", [0, 40, ROWS])
def test_a_live_run_and_its_results_are_one_run_with_all_points(
    streamed: int, root: Path, log: LiveLog, follower: Follower, client: MlflowClient
) -> None:
    train(log, 1, streamed)
    follower.step()
    live = the_run(client)
    finish(root)
    sync()
    run = the_run(client)
    assert run.info.run_id == live.info.run_id
    assert run.info.status == "FINISHED"
    assert run.data.tags["current"] == "true"
    assert run.data.metrics["fid/fid_judge"] == 20.25
    assert steps(client) == list(range(1, ROWS + 1))
    assert grids(client) == dict.fromkeys(STEPS, 1)
    assert sync().made == 0


def test_a_completed_run_is_not_streamed_again(
    root: Path, log: LiveLog, follower: Follower, client: MlflowClient
) -> None:
    train(log, 1, 40)
    follower.step()
    finish(root)
    sync()
    train(log, 41, 50)
    follower.step()
    Follower(root, find_store()).step()
    assert the_run(client).info.status == "FINISHED"
    assert steps(client) == list(range(1, ROWS + 1))


def test_results_newer_than_the_log_are_not_changed(
    root: Path, log: LiveLog, client: MlflowClient
) -> None:
    train(log, 1, 40)
    write_results(root)
    sync()
    Follower(root, find_store()).step()
    assert the_run(client).info.status == "FINISHED"


def test_a_repeated_training_is_shown_beside_the_earlier_results(
    root: Path, log: LiveLog, follower: Follower, client: MlflowClient
) -> None:
    write_results(root)
    for path in root.glob("results/*/runs/*/outcome.json"):
        os.utime(path, (RUN.started - 1, RUN.started - 1))
    sync()
    train(log, 1, 2)
    follower.step()
    assert Counter(run.info.status for run in runs(client)) == {"FINISHED": 1, "RUNNING": 1}


def test_a_training_that_ended_before_the_follower_started_is_not_shown(
    root: Path, log: LiveLog, client: MlflowClient
) -> None:
    train(log, 1, 3)
    shutil.rmtree(root / ".state/aaaa")
    Follower(root, find_store()).step()
    assert runs(client) == []


def test_a_training_that_ended_between_two_reads_is_shown_completely(
    root: Path, log: LiveLog, follower: Follower, client: MlflowClient
) -> None:
    train(log, 1, 3)
    follower.step()
    train(log, 4, 5)
    shutil.rmtree(root / ".state/aaaa")
    Follower(root, find_store()).step()
    assert steps(client) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("change", "first", "last"),
    [
        ({}, 90, ROWS + 1),  # the results lack the last row
        ({"config": {"batch_size": 64}}, 1, 40),
        ({"config": {**RUN.config, "more": 1}}, 1, 40),
    ],
)
def test_a_live_run_that_differs_from_the_results_is_not_adopted(
    change: dict[str, object],
    first: int,
    last: int,
    root: Path,
    follower: Follower,
    client: MlflowClient,
) -> None:
    with closing(LiveLog(root, replace(RUN, **change))) as log:  # type: ignore[arg-type]
        train(log, first, last)
    follower.step()
    finish(root)
    (tracked,) = (run for run in read_runs(root, PROFILE)[0] if run.name == "vae-0")
    assert adopt(client, tracked, runs(client)) is None


def test_a_live_run_with_another_value_is_deleted(
    root: Path, log: LiveLog, follower: Follower, client: MlflowClient
) -> None:
    train(log, 1, 40)
    log.add({"step": 41, "epoch": 0.1, "loss": 0.25, "kl": 41 / 7})
    follower.step()
    live = the_run(client)
    finish(root)
    sync()
    Follower(root, find_store()).step()
    assert the_run(client).info.run_id != live.info.run_id
    assert steps(client) == list(range(1, ROWS + 1))


def test_a_completed_run_is_not_adopted(root: Path, client: MlflowClient) -> None:
    write_results(root)
    sync()
    write_score(root, "vae-0", 9.0)
    (tracked,) = (run for run in read_runs(root, PROFILE)[0] if run.name == "vae-0")
    assert adopt(client, tracked, runs(client)) is None


@pytest.mark.parametrize("full", ["log", "folder"])
def test_a_full_disk_under_the_live_log_ends_no_training(
    root: Path, full: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log = root / FOLDER / RUN.profile / f"{RUN.run}.jsonl"
    if full == "folder":
        log.parent.parent.mkdir(parents=True)
        log.parent.touch()  # a file where the folder should be
    with closing(LiveLog(root, RUN)) as live:
        if full == "log":
            live._file = open("/dev/full", "a", buffering=1)  # noqa: PTH123, SIM115
        for step in (1, 2):
            live.add({"step": step, "loss": 1.0})
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 1
    assert warnings[0].startswith("warning: MLflow will not show this training before it ends (")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}\n", b"[1]\n", b"\xff\xfe\n", b"rows\n", b"HEADER[1]\n", b'HEADER{"step": 1}\n'],
)
def test_an_invalid_live_log_is_skipped_and_can_be_written_again(
    content: bytes, root: Path, log: LiveLog, follower: Follower, client: MlflowClient
) -> None:
    header = (root / LOG).read_bytes()
    other = root / LOG.with_name("broken.jsonl")
    other.write_bytes(content.replace(b"HEADER", header))
    train(log, 1, 3)
    follower.step()
    assert steps(client) == [1, 2, 3]
    with closing(LiveLog(root, replace(RUN, run="broken"))) as anew:
        train(anew, 1, 2)
    assert len(read_live(other).rows) == 2


def test_a_deleted_log_leaves_its_run_unchanged(
    root: Path, log: LiveLog, follower: Follower, client: MlflowClient
) -> None:
    follower.step()
    (root / LOG).unlink()
    follower.step()
    assert the_run(client).info.status == "RUNNING"


def test_for_the_same_run_rows_are_read_from_the_given_byte(root: Path, log: LiveLog) -> None:
    train(log, 1, 2)
    first = read_live(root / LOG)
    train(log, 3, 3)
    assert [row["step"] for row in read_live(root / LOG, first.run, first.end).rows] == [3]
    other = LiveRun(**{**asdict(RUN), "fingerprint": "c"})
    assert len(read_live(root / LOG, other, first.end).rows) == 3


def test_an_unreachable_server_gives_one_warning(
    root: Path, log: LiveLog, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    follower = Follower(root, find_store("http://user:secret@127.0.0.1:9"))
    train(log, 1, 3)
    follower.step()
    follower.step()
    output = capfd.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert output.err.startswith(
        "warning: MLflow does not show the losses yet. MLflow at http://user:***@"
    )


def test_values_that_could_not_be_logged_are_logged_later(
    root: Path,
    log: LiveLog,
    follower: Follower,
    client: MlflowClient,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(store, "DATABASE_SECONDS", 0.1)
    train(log, 1, 3)
    with closing(sqlite3.connect(root / "mlflow.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        follower.step()
        train(log, 4, 5)
        follower.step()
    assert capfd.readouterr().err.count("database is locked") == 1
    follower.step()
    assert steps(client) == [1, 2, 3, 4, 5]


class Stand:
    """A stand-in for `start_follower` that records the processes."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []

    def __call__(self) -> "subprocess.Popen[bytes]":
        self.processes.append(subprocess.Popen(["sleep", "60"]))
        return self.processes[-1]


def test_repro_starts_a_follower_and_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand = Stand()
    monkeypatch.setattr(runners, "start_follower", stand)
    with pytest.raises(KeyboardInterrupt), runners.followed({"vae-0": ["train@vae-0"]}):
        assert stand.processes[0].poll() is None
        raise KeyboardInterrupt
    assert stand.processes[0].poll() is not None


def test_repro_starts_no_follower_without_training_or_without_mlflow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand = Stand()
    monkeypatch.setattr(runners, "start_follower", stand)
    with runners.followed({"vae-0": ["draw@vae-0"], "gan-0": []}):
        pass
    monkeypatch.setattr(runners, "find_spec", lambda _: None)
    with runners.followed({"vae-0": ["train@vae-0"]}):
        pass
    assert stand.processes == []

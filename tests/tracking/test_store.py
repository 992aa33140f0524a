"""Servers that do not answer, and databases in folders with unusual names."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from ganvae.core import databases
from ganvae.tracking import store
from ganvae.tracking.recorded import open_experiments
from ganvae.tracking.store import TrackingError, connected, find_store


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_silent_server_is_named_in_seconds(
    silent: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(store, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(store, "NOTICE_SECONDS", 0.2)
    with pytest.raises(TrackingError, match="no answer in 1 s"), connected(find_store(silent)):
        pass
    assert capsys.readouterr().out == f"waiting for MLflow at {silent}\n"


def test_no_server_is_named_at_once() -> None:
    nobody = "http://127.0.0.1:9"
    with pytest.raises(TrackingError, match="no server answers"), connected(find_store(nobody)):
        pass


def test_a_silent_server_is_noticed_before_this_process_waits_for_its_turn(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ANSWER_SECONDS", 0.5)
    found = find_store(silent)
    with (
        FileLock(found.lock),
        pytest.raises(TrackingError, match="no answer"),
        connected(found, patience=0.1),
    ):
        pass


def test_a_silent_postgresql_server_is_named_in_seconds(
    silent: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(databases, "SERVER_SECONDS", 2)
    monkeypatch.setattr(store, "NOTICE_SECONDS", 0.2)
    uri = silent.replace("http://", "postgresql+psycopg://me:secret@") + "/mlflow"
    start = time.monotonic()
    with pytest.raises(TrackingError, match="timeout") as caught, connected(find_store(uri)):
        pass
    assert time.monotonic() - start < 10
    assert "secret" not in str(caught.value) + capsys.readouterr().out


@pytest.mark.parametrize("name", ["a#b", "a?b", "a%41b", "a b;ü"])
def test_nothing_is_written_outside_a_clone_whose_path_has_special_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    root = tmp_path / name
    (root / ".dvc").mkdir(parents=True)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.chdir(root)
    found = find_store()
    with connected(found) as client:
        experiments = open_experiments(client, found, ["mnist"])
        run = client.create_run(experiments["mnist"])
        client.log_text(run.info.run_id, "text", "a.txt")
    assert list(tmp_path.iterdir()) == [root]
    files = {".dvc", "mlflow.db", "mlflow.db.lock", "mlartifacts"}
    assert {path.name for path in root.iterdir()} - {"mlflow.db-shm", "mlflow.db-wal"} == files
    assert list(root.glob("mlartifacts/mnist/*/artifacts/a.txt"))
    assert find_store(found.uri) == found
    assert str(found) == f"sqlite:///{root}/mlflow.db"


def test_a_given_database_keeps_its_options(tmp_path: Path) -> None:
    found = find_store(f"sqlite:///{tmp_path}/a%23b/own.db?timeout=9")
    assert found.sqlite_file == tmp_path / "a#b/own.db"
    assert found.lock == tmp_path / "a#b/own.db.lock"
    assert found.uri.endswith("/a%23b/own.db?timeout=9")

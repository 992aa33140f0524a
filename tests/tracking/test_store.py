"""A server that does not answer."""

import socket
import time
from collections.abc import Iterator

import pytest
from filelock import FileLock

from ganvae.core import databases
from ganvae.tracking import store
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

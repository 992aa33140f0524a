"""A server that does not answer."""

import socket
from collections.abc import Iterator

import pytest

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

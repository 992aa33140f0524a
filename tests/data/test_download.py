"""Fetching from mirrors, against servers on this machine."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conftest import ROOT
from ganvae.data.datasets.mnist import FILES
from ganvae.data.download import fetch_idx
from ganvae.data.idx import load_idx
from ganvae.errors import DataError


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def _serve(directory: Path) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=directory))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def mirrors(tmp_path: Path) -> Iterator[dict[str, str]]:
    """``empty`` has nothing, ``corrupt`` wrong bytes under the right names, ``good`` all."""
    corrupt = tmp_path / "corrupt"
    corrupt.mkdir()
    (tmp_path / "empty").mkdir()
    for file in FILES:
        (corrupt / file.name).write_bytes(b"wrong")
    servers = {
        "empty": _serve(tmp_path / "empty"),
        "corrupt": _serve(corrupt),
        "good": _serve(ROOT / "data/raw/mnist"),
    }
    yield {name: f"http://127.0.0.1:{server.server_port}" for name, server in servers.items()}
    for server in servers.values():
        server.shutdown()
        server.server_close()


def test_the_next_mirror_is_tried(tmp_path: Path, mirrors: dict[str, str]) -> None:
    target = tmp_path / "mnist"
    fetch_idx(FILES, target, [mirrors["empty"], mirrors["corrupt"], mirrors["good"] + "/"])
    assert len(load_idx(FILES, target).train) == 60_000
    assert {path.name for path in target.iterdir()} == {file.name for file in FILES}


def test_no_mirror_left(tmp_path: Path, mirrors: dict[str, str]) -> None:
    target = tmp_path / "mnist"
    with pytest.raises(DataError) as error:
        fetch_idx(FILES, target, [mirrors["empty"], mirrors["corrupt"]])
    lines = str(error.value).splitlines()
    assert FILES.train_images.name in lines[0]
    assert "404" in lines[1]
    assert "hash" in lines[2]
    assert list(target.iterdir()) == []  # nothing corrupt stays behind


def test_intact_files_are_kept(tmp_path: Path, mirrors: dict[str, str]) -> None:
    fetch_idx(FILES, tmp_path / "mnist", [mirrors["good"]])
    fetch_idx(FILES, tmp_path / "mnist", [mirrors["empty"]])  # asks for nothing

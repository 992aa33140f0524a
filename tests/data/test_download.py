"""Getting data sets from mirrors, replaced by local servers, and from an installed package."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conftest import ROOT
from ganvae.core.errors import DataError
from ganvae.core.files import sha256
from ganvae.data.datasets.mnist import FILES
from ganvae.data.download import fetch_file, fetch_idx
from ganvae.data.idx import IdxFiles, load_idx

RAW = ROOT / "data/raw/mnist"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def _serve(directory: Path) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=directory))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def mirrors(tmp_path: Path) -> Iterator[dict[str, str]]:
    """``empty`` has no files, ``corrupt`` has wrong bytes, ``good`` has the published files."""
    corrupt = tmp_path / "corrupt"
    corrupt.mkdir()
    (tmp_path / "empty").mkdir()
    for file in FILES:
        (corrupt / file.name).write_bytes(b"wrong")
    servers = {
        "empty": _serve(tmp_path / "empty"),
        "corrupt": _serve(corrupt),
        "good": _serve(RAW),
    }
    yield {name: f"http://127.0.0.1:{server.server_port}" for name, server in servers.items()}
    for server in servers.values():
        server.shutdown()
        server.server_close()


def from_mirrors(*mirrors: str, installed: Path | None = None) -> IdxFiles:
    return replace(FILES, mirrors=mirrors, installed=installed)


def test_the_next_mirror_is_tried_after_a_failure(tmp_path: Path, mirrors: dict[str, str]) -> None:
    target = tmp_path / "mnist"
    files = from_mirrors(mirrors["empty"], mirrors["corrupt"], mirrors["good"] + "/")
    fetch_idx(files, target)
    assert len(load_idx(FILES, target).train) == 60_000
    assert {path.name for path in target.iterdir()} == {file.name for file in FILES}


def test_all_failed_downloads_are_listed(tmp_path: Path, mirrors: dict[str, str]) -> None:
    target = tmp_path / "mnist"
    with pytest.raises(DataError) as error:
        fetch_idx(from_mirrors(mirrors["empty"], mirrors["corrupt"]), target)
    lines = str(error.value).splitlines()
    assert FILES.train_images.name in lines[0]
    assert "404" in lines[1]
    assert "hash" in lines[2]
    assert "apt-get" not in lines[3]
    assert list(target.iterdir()) == []  # corrupt files are removed


def test_intact_files_are_not_downloaded_again(tmp_path: Path, mirrors: dict[str, str]) -> None:
    fetch_idx(from_mirrors(mirrors["good"]), tmp_path / "mnist")
    fetch_idx(from_mirrors(mirrors["empty"]), tmp_path / "mnist")  # this mirror would fail


def test_an_installed_package_needs_no_mirror(tmp_path: Path, mirrors: dict[str, str]) -> None:
    target = tmp_path / "mnist"
    target.mkdir()
    (target / FILES.test_images.name).write_bytes(b"wrong")
    fetch_idx(from_mirrors(mirrors["empty"], installed=RAW), target)
    assert len(load_idx(FILES, target).train) == 60_000
    assert {path.name for path in target.iterdir()} == {file.name for file in FILES}


def test_missing_and_altered_installed_files_are_downloaded(
    tmp_path: Path, mirrors: dict[str, str]
) -> None:
    installed = tmp_path / "installed"
    shutil.copytree(RAW, installed)
    (installed / FILES.test_labels.name).chmod(0o644)
    (installed / FILES.test_labels.name).write_bytes(b"wrong")
    (installed / FILES.train_labels.name).unlink()
    fetch_idx(from_mirrors(mirrors["good"], installed=installed), tmp_path / "mnist")
    assert len(load_idx(FILES, tmp_path / "mnist").train) == 60_000


def test_failed_downloads_suggest_the_debian_package(
    tmp_path: Path, mirrors: dict[str, str]
) -> None:
    files = from_mirrors(mirrors["empty"], installed=tmp_path / "none")
    message = rf"`apt-get install dataset-mnist` puts the file into {tmp_path}/none, and this"
    with pytest.raises(DataError, match=message):
        fetch_idx(files, tmp_path / "mnist")


def test_a_single_file_is_saved_under_the_given_name(
    tmp_path: Path, mirrors: dict[str, str]
) -> None:
    file = FILES.test_labels
    urls = [f"{mirrors[name]}/{file.name}" for name in ("empty", "corrupt", "good")]
    fetch_file(urls, "labels.gz", file.sha256, tmp_path / "deep/folder")
    assert sha256(tmp_path / "deep/folder/labels.gz") == file.sha256
    with pytest.raises(DataError, match=r"other\.gz: all downloads failed\.\n.*\n.*\nIf this"):
        fetch_file(urls[:2], "other.gz", file.sha256, tmp_path)
    assert not (tmp_path / "other.gz").exists()

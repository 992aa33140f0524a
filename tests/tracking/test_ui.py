"""The links that `ganvae ui` prints, and the server it becomes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from mlflow import MlflowClient
from toy_results import write_results

from ganvae.errors import UserError
from ganvae.tracking.sync import sync
from ganvae.tracking.ui import compare_url, links, serve


def run(name: str, family: str, profile: str = "laptop") -> SimpleNamespace:
    tags = {"family": family, "profile": profile, "dataset": "mnist"}
    info = SimpleNamespace(run_id=f"id-{name}", experiment_id="1", run_name=name)
    return SimpleNamespace(info=info, data=SimpleNamespace(tags=tags))


def test_every_profile_is_linked_with_its_newest_gan_and_vae() -> None:
    runs = [
        run("small-gan", "gan", "smoke"),
        run("floor", "reference"),
        run("vae", "vae"),
        run("old-vae", "vae"),
        run("gan", "gan"),
    ]
    lines = list(links("http://here", runs))
    assert [line.split(": ")[0] for line in lines] == [
        "MLflow",
        "mnist, laptop profile",
        "gan and vae",
        "mnist, smoke profile",
    ]
    assert "laptop" in lines[1]
    assert "id-gan" in lines[2]
    assert "id-vae" in lines[2]
    assert "id-old-vae" not in lines[2]


def test_the_compare_page_is_given_both_runs() -> None:
    url = compare_url("http://127.0.0.1:5000", [run("gan", "gan"), run("vae", "vae")])
    route = urlsplit(urlsplit(url).fragment)
    query = parse_qs(route.query)
    assert route.path == "/compare-runs"
    assert route.query.startswith("runs="), "MLflow's page looks for '?runs'"
    assert json.loads(query["runs"][0]) == ["id-gan", "id-vae"]
    assert json.loads(query["experiments"][0]) == ["1"]


def test_a_port_in_use_is_named_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} .*--port {port + 1}"):
            serve(port)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_server_shows_the_runs_and_takes_a_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    write_results(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from ganvae.cli import app; app()", "ui", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/health")
        write_results(tmp_path / "clone")
        monkeypatch.chdir(tmp_path / "clone")
        (tmp_path / "clone/results/toy").rename(tmp_path / "clone/results/remote")
        (tmp_path / "clone/artifacts/toy").rename(tmp_path / "clone/artifacts/remote")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        assert (sync().made, sync().made) == (5, 0)
        client = MlflowClient(address)
        experiment = client.get_experiment_by_name("mnist").experiment_id
        runs = client.search_runs([experiment], "tags.`ganvae.key` = 'remote/vae-0'")
        images = client.list_artifacts(runs[0].info.run_id, "images")
        assert len(images) == 4
        assert len(client.search_runs([experiment])) == 10
        serve()  # a server is there already: prints its address and returns
        assert f"MLflow: {address}\n" in capsys.readouterr().out
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        printed, _ = server.communicate()
    assert f"MLflow: {address}\n" in printed
    assert f"{address}/#/compare-runs?" in printed


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urlopen(url, timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.2)

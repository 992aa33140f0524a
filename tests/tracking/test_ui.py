"""The links that `ganvae ui` prints, and the server it becomes."""

import json
import socket
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from mlflow import MlflowClient
from servers import ganvae_ui
from toy_results import write_results

from ganvae.core.errors import UserError
from ganvae.tracking.models import download
from ganvae.tracking.server import serve
from ganvae.tracking.sync import sync
from ganvae.tracking.ui import compare_url, links


def run(
    name: str, family: str, profile: str = "laptop", level: str = "run", **metrics: float
) -> SimpleNamespace:
    model = name.split("-")[0]
    tags = {"family": family, "profile": profile, "dataset": "mnist", "level": level}
    info = SimpleNamespace(run_id=f"id-{name}", experiment_id="1", run_name=name)
    data = SimpleNamespace(tags=tags | {"variant": model}, metrics=metrics)
    return SimpleNamespace(info=info, data=data)


def test_every_profile_is_linked_with_its_newest_gan_and_vae() -> None:
    runs = [
        run("small-0", "gan", "smoke"),
        run("floor-0", "reference"),
        run("vae-1", "vae"),
        run("vae-0", "vae"),
        run("gan-0", "gan"),
    ]
    lines = list(links("http://here", runs))
    assert [line.split(": ")[0] for line in lines] == [
        "MLflow",
        "mnist, laptop profile, means over seeds",
        "mnist, laptop profile, all runs",
        "gan-0 and vae-1",
        "mnist, smoke profile, means over seeds",
        "mnist, smoke profile, all runs",
    ]
    assert "laptop" in lines[1]
    assert "id-gan-0" in lines[3]
    assert "id-vae-1" in lines[3]
    assert "id-vae-0" not in lines[3]


def test_the_best_on_the_validation_split_are_compared_and_so_are_their_models() -> None:
    runs = [
        run("vae-1", "vae", fid_judge_validation=30.0, fid_judge=1.0),
        run("vae-0", "vae", fid_judge_validation=20.0, fid_judge=2.0),
        run("vae", "vae", level="variant", fid_judge_validation=10.0),
        run("new-5", "gan"),
        run("gan-0", "gan", fid_judge_validation=12.0),
        run("gan", "gan", level="variant"),
    ]
    lines = list(links("http://here", runs))
    assert [line.split(": ")[0] for line in lines[3:]] == ["gan-0 and vae-0", "gan and vae"]
    assert '["id-gan", "id-vae"]' in unquote(lines[4])


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
    with ganvae_ui() as (address, printed):
        write_results(tmp_path / "clone")
        monkeypatch.chdir(tmp_path / "clone")
        (tmp_path / "clone/results/toy").rename(tmp_path / "clone/results/remote")
        (tmp_path / "clone/artifacts/toy").rename(tmp_path / "clone/artifacts/remote")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        assert (sync().made, sync().made) == (9, 0)
        client = MlflowClient(address)
        experiment = client.get_experiment_by_name("mnist").experiment_id
        runs = client.search_runs([experiment], "tags.`ganvae.key` = 'remote/vae-0'")
        images = client.list_artifacts(runs[0].info.run_id, "images")
        assert len(images) == 4
        assert len(client.search_runs([experiment])) == 18
        assert download("models:/mnist-remote@champion-gan").read_text() == "those of gan-0"
        serve()  # a server is there already: prints its address and returns
        assert f"MLflow: {address}\n" in capsys.readouterr().out
    assert f"MLflow: {address}\n" in printed
    assert any(f"{address}/#/compare-runs?" in line for line in printed)

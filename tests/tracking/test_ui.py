"""Test the links that `ganvae ui` prints, and the server that it becomes."""

import json
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from mlflow import MlflowClient
from servers import ganvae_ui
from toy_results import write_results

from ganvae.core.errors import UserError
from ganvae.tracking.links import NOTE, best_run, charts_url, compare_url
from ganvae.tracking.models import download
from ganvae.tracking.names import metric
from ganvae.tracking.server import serve
from ganvae.tracking.sync import sync
from ganvae.tracking.ui import links


def run(
    name: str, family: str, profile: str = "laptop", level: str = "run", **metrics: float
) -> Any:
    tags = {"family": family, "profile": profile, "dataset": "mnist", "level": level}
    info = SimpleNamespace(run_id=f"id-{name}", experiment_id="1", run_name=name)
    found = {metric(score): value for score, value in metrics.items()}
    return SimpleNamespace(info=info, data=SimpleNamespace(tags=tags, metrics=found))


def test_each_data_set_has_one_line_with_its_profiles() -> None:
    runs = [run("small-0", "gan", "smoke"), run("vae-1", "vae"), run("gan-0", "gan")]
    (line,) = links("http://here", runs)
    assert line.startswith("mnist (laptop, smoke): http://here/#/experiments/1/runs?compareRuns")
    assert len(line) < 125


def test_the_runs_with_the_best_validation_fid_are_compared() -> None:
    runs = [
        run("vae-1", "vae", fid_judge_validation=30.0, fid_judge=1.0),
        run("vae-0", "vae", fid_judge_validation=20.0, fid_judge=2.0),
        run("vae", "vae", level="variant", fid_judge_validation=10.0),
        run("new-5", "gan"),
        run("gan-0", "gan", fid_judge_validation=12.0),
        run("gan", "gan", level="variant"),
    ]
    assert best_run(runs, "vae").info.run_name == "vae-0"
    assert best_run(runs, "gan").info.run_name == "gan-0"
    assert best_run(runs, "hybrid") is None


def test_the_link_to_the_compare_page_has_both_runs() -> None:
    url = compare_url([run("gan", "gan"), run("vae", "vae")])
    route = urlsplit(url.removeprefix("#"))
    query = parse_qs(route.query)
    assert route.path == "/compare-runs"
    assert route.query.startswith("runs="), "MLflow's page searches for '?runs'"
    assert json.loads(query["runs"][0]) == ["id-gan", "id-vae"]
    assert json.loads(query["experiments"][0]) == ["1"]


def test_charts_show_one_profile_and_level_sorted_by_fid() -> None:
    query = parse_qs(
        urlsplit(charts_url("1", level="variant", profile="laptop").removeprefix("#")).query
    )
    assert query["orderByKey"] == ["metrics.`fid/fid_judge`"]
    assert query["searchFilter"] == [
        "tags.current != 'false' AND tags.level = 'variant' AND tags.profile = 'laptop'"
    ]


def test_a_port_in_use_is_an_error_before_files_are_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} .*--port {port + 1}"):
            serve(port)
    assert list(tmp_path.iterdir()) == [tmp_path / ".dvc"]


@pytest.mark.slow
def test_the_server_shows_the_runs_and_accepts_a_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    (tmp_path / ".dvc").mkdir()
    write_results(tmp_path)
    with ganvae_ui() as (address, printed):
        write_results(tmp_path / "clone")
        (tmp_path / "clone/.dvc").mkdir()
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
        note = client.get_experiment(experiment).tags[NOTE]
        assert "**remote**: charts of [variants (means over seeds)](#/experiments/" in note
        assert "[gan-0 and vae-0 side by side](#/compare-runs?runs=" in note
        serve()  # the server exists already, so this prints its address and returns
        output = capsys.readouterr().out
        assert f"mnist (remote, toy): {address}/#/experiments/{experiment}/runs?" in output
    assert any(f"mnist (toy): {address}/#/experiments/" in line for line in printed)
    assert len(printed) <= 8

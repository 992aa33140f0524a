"""Test that MLflow shows a study while it runs."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from ganvae.sweeps.worker import work
from ganvae.tracking.store import find_store
from toy_study import URL, create, make_profile


@pytest.fixture(autouse=True)
def _profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT"):
        monkeypatch.delenv(name, raising=False)
    make_profile()
    create()


def test_a_workers_trials_are_nested_in_the_run_of_their_study() -> None:
    assert work("toy", URL, 2) == 2
    client = MlflowClient(find_store().uri)
    experiment = client.get_experiment_by_name("sweeps-mnist")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1
    children = [run for run in runs if run is not parents[0]]
    assert len(children) == 2
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parents[0].info.run_id}
    assert all("fid/fid_judge_validation" in run.data.metrics for run in children)


def test_without_mlflow_the_trials_continue_after_one_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert work("toy", URL, 2) == 2
    assert capsys.readouterr().err.count("warning: the trials continue without MLflow") == 1

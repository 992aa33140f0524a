"""Test sweeps in MLflow: one run per study, with one nested run per trial."""

import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient
from PIL import Image
from seen import by_name
from toy_results import PROFILE

from ganvae.scores.studies import StudyRecord, TrialRecord, write_study
from ganvae.tracking.store import connected, find_store
from ganvae.tracking.studies import project_study
from ganvae.tracking.sync import sync

pytest_plugins = ["toy_store"]
START = 1_700_000_000.0
SWEEPS = "sweeps-mnist"


def trial(number: int, fid: float | None, status: str = "completed") -> TrialRecord:
    return TrialRecord.model_validate(
        {
            "number": number,
            "status": status,
            "parameters": {"learning_rate": 10.0**-number, "balance.d_steps": 2},
            "values": [] if fid is None else [fid, 30.5],
            "curve": {250: 80.0, 1000: fid or 70.0},
            "seconds": 30.5,
            "started": START + 100 * number,
            "finished": START + 100 * number + 40,
            "current": number == 0,
        }
    )


def study(*trials: TrialRecord, seeds: tuple[int, ...] = (0, 1)) -> StudyRecord:
    return StudyRecord(
        study="fid-vs-time",
        space="fid-vs-time",
        variant="gan",
        system="dcgan",
        family="gan",
        profile=PROFILE,
        dataset="mnist",
        objectives=["fid_judge", "train_seconds"],
        seeds=list(seeds),
        n_generated=1000,
        budget="steps",
        base={"batch_size": 64},
        parameters={"learning_rate": {"low": 1e-5, "high": 1e-1}},
        pruner=None,
        train_sha256="a" * 64,
        validation_sha256="b" * 64,
        judge_sha256="c" * 64,
        trials=list(trials),
    )


FIRST, SECOND = trial(0, 20.5), trial(1, 12.25)
PRUNED, BAD = trial(2, None, "pruned"), trial(3, 45.0)


def test_a_study_is_a_run_with_one_nested_run_per_trial(root: Path, client: MlflowClient) -> None:
    write_study(root, study(FIRST, SECOND, PRUNED))
    sync()
    runs = by_name(client, SWEEPS)
    assert runs.keys() == {"fid-vs-time", "trial-0", "trial-1", "trial-2"}
    outer = runs.pop("fid-vs-time")
    parents = {run.data.tags["mlflow.parentRunId"] for run in runs.values()}
    assert parents == {outer.info.run_id}
    second = runs["trial-1"]
    assert second.data.params == {"learning_rate": "0.1", "balance.d_steps": "2"}
    scores = {"fid/fid_judge_validation": 12.25, "training/train_seconds": 30.5}
    assert second.data.metrics == scores | {"fid/fid_judge_validation_curve": 12.25}
    assert second.data.tags["status"] == "completed"
    assert second.info.end_time - second.info.start_time == 40_000
    curve = client.get_metric_history(second.info.run_id, "fid/fid_judge_validation_curve")
    start = int(START + 100) * 1000
    assert {(point.step, point.value, point.timestamp) for point in curve} == {
        (250, 80.0, start + 10_000),
        (1000, 12.25, start + 40_000),
    }
    assert runs["trial-2"].info.status == "KILLED"
    assert "fid/fid_judge_validation" not in runs["trial-2"].data.metrics
    assert runs["trial-0"].data.tags["preset"] == "true"
    assert "preset" not in second.data.tags


def test_a_study_shows_the_best_fid_so_far_and_its_pictures(
    root: Path, client: MlflowClient
) -> None:
    folder = write_study(root, study(FIRST, SECOND, BAD))
    Image.new("L", (8, 8)).save(folder / "history.png")
    sync()
    run = by_name(client, SWEEPS)["fid-vs-time"]
    best = client.get_metric_history(run.info.run_id, "fid/fid_judge_validation")
    assert {point.step: point.value for point in best} == {1: 20.5, 2: 12.25, 3: 12.25}
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["history.png"]
    assert run.data.params["base.batch_size"] == "64"


def test_a_worker_adds_only_its_new_trial(
    root: Path, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = find_store()
    folder = root / "results/sweeps/fid-vs-time"
    with connected(store) as own:
        assert project_study(own, store, study(FIRST), folder) == (2, 0)
        assert project_study(own, store, study(FIRST, SECOND), folder) == (1, 2)
        with monkeypatch.context() as patch:
            for write in ("create_run", "log_batch", "log_artifact", "set_tag", "set_terminated"):
                patch.delattr(MlflowClient, write)
            assert project_study(own, store, study(FIRST, SECOND), folder) == (0, 3)
    run = by_name(client, SWEEPS)["fid-vs-time"]
    best = client.get_metric_history(run.info.run_id, "fid/fid_judge_validation")
    assert {point.step: point.value for point in best} == {1: 20.5, 2: 12.25}


def test_pictures_of_a_study_are_written_again_after_a_killed_repair(
    root: Path, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    folder = root / "results/sweeps/fid-vs-time"
    folder.mkdir(parents=True)
    Image.new("L", (8, 8)).save(folder / "history.png")
    store = find_store()
    with connected(store) as own:
        project_study(own, store, study(FIRST), folder)
        shutil.rmtree(root / "mlartifacts")
        with monkeypatch.context() as patch:
            patch.setattr(MlflowClient, "log_artifact", killed)
            with pytest.raises(KeyboardInterrupt):
                project_study(own, store, study(FIRST), folder)
        assert project_study(own, store, study(FIRST), folder) == (0, 2)
    run = by_name(client, SWEEPS)["fid-vs-time"]
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["history.png"]


def test_a_study_with_the_same_name_and_other_settings_is_another_study(
    root: Path, client: MlflowClient
) -> None:
    write_study(root, study(FIRST))
    sync()
    write_study(root, study(FIRST, seeds=(5,)))
    assert sync().made == 2
    experiment = client.get_experiment_by_name(SWEEPS).experiment_id
    runs = client.search_runs([experiment], "tags.current = 'true'")
    outer = {run.info.run_name: run for run in runs}
    assert len(runs) == len(outer) == 2
    nested = outer["trial-0"].data.tags["mlflow.parentRunId"]
    assert nested == outer["fid-vs-time"].info.run_id

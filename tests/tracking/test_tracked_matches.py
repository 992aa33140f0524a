"""Test matches in MLflow: one run per match, with one nested run per training run."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from PIL import Image
from seen import all_runs, by_name
from toy_results import PROFILE

from ganvae.core.files import write_json, write_text
from ganvae.matches.spec import Match
from ganvae.scores.matches import (
    MATCHES,
    Family,
    TrainedRecord,
    match_path,
    write_trained,
)
from ganvae.tracking.links import NOTE
from ganvae.tracking.matches import project_match
from ganvae.tracking.store import connected, find_store
from ganvae.tracking.sync import sync
from toy_match import NAME, record, shared, write_match

pytest_plugins = ["toy_store"]
assert PROFILE == "toy", "the profile of the toy match"
EXPERIMENT = "matches-mnist"
START = 1_700_000_000.0


def trained(match: Match, family: Family, trial: int, **changes: Any) -> TrainedRecord:
    started = START + 10 * trial
    return record(match, family, trial, **{"started": started, "cpu_seconds": 1.05} | changes)


def records(match: Match) -> list[TrainedRecord]:
    """Two trials per family, and one training run of the selection. One VAE diverged."""
    return [
        trained(match, "gan", 0, fid_judge=20.5),
        trained(match, "gan", 1, fid_judge=12.25, cpu_seconds=1.75),
        trained(match, "vae", 0, fid_judge=11.0, fit_seconds=0.25),
        trained(match, "vae", 1, fid_judge=None, status="diverged", reason="loss became nan"),
        trained(match, "gan", 1, fid_judge=13.5, stage="selection", seed=101),
    ]


@pytest.fixture
def match(root: Path) -> Match:
    """A match whose records are in the results folder."""
    match = write_match()
    write_json(match_path(NAME), shared(match).model_dump(mode="json"))
    for run in records(match):
        write_trained(root, NAME, run)
    return match


def current(client: MlflowClient) -> dict[str, Run]:
    runs = [run for run in all_runs(client, EXPERIMENT) if run.data.tags["current"] == "true"]
    assert len({run.info.run_name for run in runs}) == len(runs)
    return {run.info.run_name: run for run in runs}


def test_a_match_is_a_run_with_one_nested_run_per_training_run_of_both_families(
    match: Match, client: MlflowClient
) -> None:
    sync()
    runs = by_name(client, EXPERIMENT)
    assert runs.keys() == {NAME, "gan-00", "gan-01", "vae-00", "vae-01", "gan-01-seed-101"}
    outer = runs.pop(NAME)
    parents = {run.data.tags["mlflow.parentRunId"] for run in runs.values()}
    assert parents == {outer.info.run_id}
    assert outer.data.tags["level"] == "match"
    assert outer.data.params["seconds"] == "1.0"
    assert outer.data.params["families.gan.parameters.learning_rate.high"] == "0.01"
    assert outer.data.params["switches.vae"] == str(match.families["vae"].switches)
    for run in runs.values():
        assert {
            "match": NAME,
            "level": "trial",
            "profile": PROFILE,
        }.items() <= run.data.tags.items()


def test_both_families_have_the_same_metrics_and_parameters_to_compare(
    match: Match, client: MlflowClient
) -> None:
    sync()
    runs = by_name(client, EXPERIMENT)
    gan, vae = runs["gan-00"], runs["vae-00"]
    assert gan.data.metrics.keys() == vae.data.metrics.keys()
    assert vae.data.metrics == {
        "fid/fid_judge_validation": 11.0,
        "training/cpu_seconds": 1.05,
        "training/fit_seconds": 0.25,
        "training/sampling_seconds": 0.1,
        "training/steps": 100.0,
    }
    for run, family, system in ((gan, "gan", "vanilla-gan"), (vae, "vae", "bernoulli-vae")):
        side = {"family": family, "system": system, "seed": "100"}
        assert side.items() <= run.data.params.items()
        assert side.items() <= run.data.tags.items()
        drawn = record(match, "gan" if run is gan else "vae", 0).parameters["learning_rate"]
        assert float(run.data.params["learning_rate"]) == drawn
    assert (gan.info.start_time, gan.info.end_time) == (START * 1000, START * 1000 + 1050)


def test_stage_status_and_flags_are_tags(match: Match, client: MlflowClient) -> None:
    sync()
    runs = by_name(client, EXPERIMENT)
    assert runs["gan-01"].data.tags["stage"] == "search"
    assert runs["gan-01"].data.tags["off_budget"] == "true"
    assert "off_budget" not in runs["gan-00"].data.tags
    again = runs["gan-01-seed-101"].data.tags
    assert (again["stage"], again["trial"], again["seed"]) == ("selection", "1", "101")
    diverged = runs["vae-01"]
    assert diverged.data.tags["status"] == "diverged"
    assert diverged.data.tags["reason"] == "loss became nan"
    assert diverged.info.status == "FAILED"
    assert "fid/fid_judge_validation" not in diverged.data.metrics


def test_a_second_sync_writes_nothing(
    match: Match, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync()
    before = {run.info.run_id: run.data.to_dictionary() for run in all_runs(client, EXPERIMENT)}
    with monkeypatch.context() as patch:
        for write in ("create_run", "log_batch", "log_artifact", "set_tag", "set_terminated"):
            patch.delattr(MlflowClient, write)
        patch.delattr(MlflowClient, "set_experiment_tag")
        assert sync().made == 0
    after = {run.info.run_id: run.data.to_dictionary() for run in all_runs(client, EXPERIMENT)}
    assert after == before


def test_a_wiped_database_gets_the_same_runs(
    match: Match, client: MlflowClient, empty_database: Path
) -> None:
    def contents() -> dict[str, Any]:
        runs = by_name(client, EXPERIMENT)
        own = ("mlflow.parentRunId",)  # ids differ between databases
        return {
            name: (
                run.data.params,
                run.data.metrics,
                {tag: value for tag, value in run.data.tags.items() if tag not in own},
                (run.info.start_time, run.info.end_time, run.info.status),
            )
            for name, run in runs.items()
        }

    store = find_store()
    with connected(store) as own:  # one record after another, as during a match
        for n in range(1, 6):
            folder = MATCHES / NAME
            project_match(own, store, shared(match), records(match)[:n], folder)
    assert sync().present == 6
    assert NOTE in client.get_experiment_by_name(EXPERIMENT).tags
    before = contents()
    shutil.copy(empty_database, "mlflow.db")
    sync()
    assert contents() == before


def test_only_new_training_runs_are_written(match: Match, client: MlflowClient) -> None:
    store, folder = find_store(), MATCHES / NAME
    first, *others = records(match)
    with connected(store) as own:
        assert project_match(own, store, shared(match), [first], folder) == (2, 0)
        assert project_match(own, store, shared(match), [first, *others], folder) == (4, 2)
        assert project_match(own, store, shared(match), [first, *others], folder) == (0, 6)
    end = max(run.started + run.cpu_seconds for run in records(match))
    assert by_name(client, EXPERIMENT)[NAME].info.end_time == end * 1000


def test_a_removed_record_is_not_current_until_it_is_back(
    match: Match, root: Path, client: MlflowClient
) -> None:
    sync()
    path = MATCHES / NAME / "search/gan-00.json"
    kept = path.read_text()
    path.unlink()
    sync()
    assert current(client).keys() == {NAME, "gan-01", "vae-00", "vae-01", "gan-01-seed-101"}
    write_text(path, kept)
    assert sync().made == 0
    assert "gan-00" in current(client)
    shutil.rmtree(root / MATCHES / NAME)
    sync()
    assert current(client) == {}


def test_a_sync_of_one_profile_leaves_the_matches_of_others_alone(
    match: Match, root: Path, client: MlflowClient
) -> None:
    write_json(match_path("other"), shared(match, "other", "elsewhere").model_dump(mode="json"))
    sync()
    assert "other" in current(client)
    shutil.rmtree(root / MATCHES / "other")
    sync(PROFILE)
    assert "other" in current(client)
    sync()
    assert "other" not in current(client)


def test_a_repeated_training_run_replaces_the_earlier_one(
    match: Match, root: Path, client: MlflowClient
) -> None:
    sync()
    write_trained(root, NAME, trained(match, "gan", 0, fid_judge=7.0))
    assert sync().made == 1
    assert current(client)["gan-00"].data.metrics["fid/fid_judge_validation"] == 7.0
    assert len(all_runs(client, EXPERIMENT)) == 7


def test_a_match_shows_its_report_and_its_picture(
    match: Match, root: Path, client: MlflowClient
) -> None:
    folder = root / MATCHES / NAME
    Image.new("L", (8, 8)).save(folder / "expected-best.png")
    write_text(folder / "report.md", "# Match\n")
    sync()
    run = by_name(client, EXPERIMENT)[NAME]
    shown = [file.path for file in client.list_artifacts(run.info.run_id)]
    assert sorted(shown) == ["expected-best.png", "report.md"]


def test_the_note_links_to_charts_of_each_stage_and_to_the_best_trials(
    match: Match, client: MlflowClient
) -> None:
    sync()
    note = client.get_experiment_by_name(EXPERIMENT).tags[NOTE]
    runs = by_name(client, EXPERIMENT)
    assert note.startswith(f"**{NAME}** ({PROFILE}): charts of [the search](#/experiments/")
    assert "tags.match%20%3D%20%27toy%27%20AND%20tags.stage%20%3D%20%27selection%27" in note
    compared = note.partition("/compare-runs?")[2]
    order = [compared.find(runs[name].info.run_id) for name in ("gan-01", "gan-00", "vae-00")]
    assert -1 < order[0] < order[1] < order[2]
    assert runs["vae-01"].info.run_id not in compared

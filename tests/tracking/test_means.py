"""Test the run of each variant, with the means over its seeds and their runs nested in it."""

from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from seen import all_runs, by_name, counts
from toy_results import PROFILE, write_run, write_score, write_validation

from ganvae.core.files import write_json
from ganvae.scores.records import read_record
from ganvae.tracking.sync import sync

pytest_plugins = ["toy_store"]


@pytest.fixture
def two_seeds(root: Path) -> Path:
    """A working directory with two completed runs of the GAN, with FID 11.5 and 14.5."""
    write_run(root, "gan-2", "gan", (), {"steps": {"d": 1, "g": 2}})
    write_score(root, "gan-2", 14.5)
    write_validation(root, "gan-2", 13.25)
    return root


def parent(run: Run) -> str | None:
    return run.data.tags.get("mlflow.parentRunId")


@pytest.mark.usefixtures("two_seeds")
def test_a_variant_has_means_intervals_and_counts_of_its_runs_by_status(
    client: MlflowClient,
) -> None:
    sync()
    gan = by_name(client)["gan"]
    # Student's t for two values, times the standard error of their logarithms
    factor = (14.5 / 11.5) ** (12.7062 / 2)
    mean = (11.5 * 14.5) ** 0.5
    expected = {
        "fid/fid_judge": pytest.approx(mean),
        "intervals/fid_judge_low": pytest.approx(mean / factor, rel=1e-4),
        "intervals/fid_judge_high": pytest.approx(mean * factor, rel=1e-4),
        "fid/fid_judge_validation": pytest.approx((12.25 * 13.25) ** 0.5),
        "training/train_seconds": 12.5,
        "runs/completed": 2,
        "runs/collapsed": 0,
        "runs/diverged": 1,
    }
    assert {name: gan.data.metrics.get(name) for name in expected} == expected
    tags = {"level": "variant", "family": "gan", "seeds": "0 1 2", "profile": PROFILE}
    assert tags.items() <= gan.data.tags.items()
    assert gan.data.params["batch_size"] == "128"


@pytest.mark.usefixtures("two_seeds")
def test_every_run_is_nested_in_the_run_of_its_variant(client: MlflowClient) -> None:
    sync()
    runs = by_name(client)
    for name in ("gan-0", "gan-1", "gan-2", "floor-0"):
        assert parent(runs[name]) == runs[name.split("-")[0]].info.run_id
    assert parent(runs["gan"]) is None


def test_one_seed_has_no_interval(client: MlflowClient) -> None:
    sync()
    metrics = by_name(client)["vae"].data.metrics
    assert metrics["fid/fid_judge"] == 20.25
    assert not [name for name in metrics if name.endswith(("_low", "_high"))]


def test_a_new_score_of_one_seed_nests_all_seeds_in_a_new_mean(
    two_seeds: Path, client: MlflowClient
) -> None:
    sync()
    write_score(two_seeds, "gan-2", 12.5)
    assert sync().made == 2  # the run and its variant
    current = {
        run.info.run_name: run
        for run in all_runs(client)
        if run.data.tags["current"] == "true" and run.data.tags["variant"] == "gan"
    }
    assert current["gan"].data.metrics["fid/fid_judge"] == pytest.approx((11.5 * 12.5) ** 0.5)
    nested = {parent(current[name]) for name in ("gan-0", "gan-1", "gan-2")}
    assert nested == {current["gan"].info.run_id}
    assert sync().made == 0


def test_seeds_that_were_measured_differently_have_no_mean(
    two_seeds: Path, client: MlflowClient
) -> None:
    path = two_seeds / "results" / PROFILE / "runs/gan-2/scores.json"
    record = read_record(path)
    provenance = record.provenance.model_copy(update={"n_generated": 5000})
    write_json(path, record.model_copy(update={"provenance": provenance}).model_dump())
    report = sync()
    assert "gan has no mean over its seeds" in str(report)
    assert "n_generated 10000 against 5000" in str(report)
    assert "gan" not in by_name(client)
    assert counts(report) == (9, 0, 0)

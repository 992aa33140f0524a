"""Test that MLflow shows `results/` completely, and each run only once."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest
from filelock import FileLock
from mlflow import MlflowClient
from PIL import Image
from seen import all_runs, by_name, counts
from toy_results import (
    BASELINES,
    MODELS,
    PROFILE,
    ROWS,
    RUNS,
    STEPS,
    TIMING,
    write_lock,
    write_score,
)

from ganvae.core.errors import UserError
from ganvae.core.files import write_json
from ganvae.core.paths import ProfilePaths
from ganvae.core.tokens import record_path
from ganvae.pictures.small import encode_film
from ganvae.scores.catalogue import SCORES
from ganvae.scores.records import read_record, write_records
from ganvae.tracking import store
from ganvae.tracking.names import (
    COUNTS,
    VALIDATION,
    interval_ends,
    loss_metric,
    metric,
    status_metric,
)
from ganvae.tracking.places import local_path
from ganvae.tracking.server import serve
from ganvae.tracking.store import TrackingError, connected, find_store
from ganvae.tracking.sync import sync
from ganvae.tracking.tracked import whole_config

pytest_plugins = ["toy_store"]
D_AND_G, ELBO = ("d_loss", "g_loss"), ("loss", "kl")
NAMES = RUNS | BASELINES | MODELS
KEYS = {f"{PROFILE}/{name}" for name in RUNS | BASELINES} | {
    f"{PROFILE}/model/{name}" for name in MODELS
}
ALL = len(KEYS)
CLI = [sys.executable, "-c", "from ganvae.cli import app; app()", "sync"]


def test_every_run_and_baseline_is_created_once(client: MlflowClient) -> None:
    assert counts(sync()) == (ALL, 0, 0)
    assert by_name(client).keys() == NAMES
    assert counts(sync()) == (0, ALL, 0)
    assert by_name(client).keys() == NAMES


def test_scores_of_gan_and_vae_have_the_same_names(client: MlflowClient) -> None:
    sync()
    runs = by_name(client)
    training = {
        "training/train_seconds": 12.5,
        "training/train_images_per_second": 800.0,
        "training/steps": 500,
        "training/images_seen": 64000,
    }
    gan = {"fid/fid_judge": 11.5, "fid/fid_judge_validation": 12.25, "headline/is_judge": 7.25}
    vae = {"fid/fid_judge": 20.25, "fid/fid_judge_validation": 21.5, "headline/is_judge": 6.5}
    vae["likelihood/elbo_bernoulli"] = -105.5
    last = ROWS / 7
    losses = ({f"losses/{name}": last for name in names} for names in (D_AND_G, ELBO))
    assert runs["gan-0"].data.metrics == gan | training | next(losses)
    assert runs["vae-0"].data.metrics == vae | training | next(losses)
    assert runs["floor-0"].data.metrics == {"fid/fid_judge": 0.125}


def test_fid_comes_first_and_every_score_is_in_a_section() -> None:
    """MLflow's charts page shows sections in alphabetical order."""
    metrics = sorted(metric(name) for name in (*SCORES, VALIDATION, *COUNTS))
    sections = dict.fromkeys(name.split("/")[0] for name in metrics)
    assert metrics[0] == "fid/fid_judge"
    assert list(sections)[:2] == ["fid", "headline"]
    others = [*interval_ends("fid_judge"), loss_metric("kl"), status_metric("diverged")]
    assert min(others) > max(name for name in metrics if name.startswith("headline/"))


def test_losses_are_curves_by_step(client: MlflowClient) -> None:
    sync()
    run = by_name(client)["vae-0"]
    history = client.get_metric_history(run.info.run_id, "losses/kl")
    assert {point.step: point.value for point in history} == {
        step: pytest.approx(step / 7) for step in range(1, ROWS + 1)
    }


def test_samples_are_images_by_step_and_pictures_are_top_level_artifacts(
    client: MlflowClient,
) -> None:
    sync()
    run = by_name(client)["vae-0"]
    top = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert top == {"images", "samples.png", "reconstructions.png", "training.gif"}
    images = [file.path for file in client.list_artifacts(run.info.run_id, "images")]
    for step in STEPS:
        assert sum(f"samples+step+{step}+" in path for path in images) == 2  # full size and small
    assert len(images) == 2 * len(STEPS)
    assert run.data.tags["mlflow.loggedImages"] == "True"


def test_tags_and_params_describe_the_run(client: MlflowClient) -> None:
    sync()
    runs = by_name(client)
    tags = runs["gan-0"].data.tags
    expected = {
        "level": "run",
        "family": "gan",
        "variant": "gan",
        "seed": "0",
        "profile": PROFILE,
        "dataset": "mnist",
        "status": "completed",
        "current": "true",
        "dvc.stage": "train@gan-0",
        "data_sha256": "b" * 64,
        "provenance.n_generated": "10000",
        "ganvae.key": "toy/gan-0",
        "device": TIMING["device"],
    }
    assert {name: tags.get(name) for name in expected} == expected
    assert len(tags["ganvae.digest"]) == 64
    assert runs["gan-0"].data.params == {"batch_size": "128", "steps.d": "1", "steps.g": "2"}
    assert runs["vae-0"].data.params["hidden"] == "[500, 500]"
    assert runs["vae-0"].data.params["beta"] == "null"
    assert runs["floor-0"].data.tags["family"] == "reference"
    assert runs["gan-0"].info.end_time - runs["gan-0"].info.start_time == 12_500


def test_losses_are_spread_over_the_time_of_the_training(root: Path, client: MlflowClient) -> None:
    timing = root / "results" / PROFILE / "runs/vae-0/timing.json"
    timing.write_text(json.dumps(TIMING | {"finished": 1_700_000_000}))
    sync()
    run = by_name(client)["vae-0"]
    end = 1_700_000_000_000
    assert (run.info.start_time, run.info.end_time) == (end - 12_500, end)
    times = {
        point.step: point.timestamp
        for point in client.get_metric_history(run.info.run_id, "losses/kl")
    }
    assert times == {step: end - 12_500 + 125 * step for step in range(1, ROWS + 1)}
    [score] = client.get_metric_history(run.info.run_id, "fid/fid_judge")
    assert score.timestamp == end


def test_checksums_of_weights_and_data_come_from_the_lock(root: Path, client: MlflowClient) -> None:
    def inputs(name: str) -> dict[str, tuple[str, str]]:
        return {
            data.tags[0].value: (data.dataset.name, data.dataset.digest)
            for data in client.get_run(by_name(client)[name].info.run_id).inputs.dataset_inputs
        }

    write_lock(root, {"gan-0": "f" * 32})
    sync()
    assert by_name(client)["gan-0"].data.tags["dvc.md5"] == "f" * 32
    assert "dvc.md5" not in by_name(client)["vae-0"].data.tags
    test = ("mnist-test", "te" * 16)
    assert inputs("gan-0") == {
        "training": ("mnist-train", "tr" * 16),
        "validation": ("mnist-validation", "va" * 16),
        "evaluation": test,
    }
    assert inputs("floor-0") == {"evaluation": test}


def test_without_a_lock_the_checksum_of_the_test_images_comes_from_the_scores(
    client: MlflowClient,
) -> None:
    sync()
    run = client.get_run(by_name(client)["gan-0"].info.run_id)
    digests = {data.dataset.name: data.dataset.digest for data in run.inputs.dataset_inputs}
    assert digests == {"mnist-test": "b" * 36}


def test_other_weights_are_a_new_run_even_with_the_same_scores(
    root: Path, client: MlflowClient
) -> None:
    write_lock(root, {"gan-0": "e" * 32})
    sync()
    write_lock(root, {"gan-0": "f" * 32})
    assert counts(sync()) == (2, ALL - 2, 0)
    runs = [run for run in all_runs(client) if run.info.run_name == "gan-0"]
    current = {run.data.tags["dvc.md5"]: run.data.tags["current"] for run in runs}
    assert current == {"e" * 32: "false", "f" * 32: "true"}


def test_a_run_that_two_machines_created_at_once_is_kept_once(client: MlflowClient) -> None:
    sync()
    run = by_name(client)["gan-0"]
    twin = client.create_run(run.info.experiment_id, tags=run.data.tags, run_name="gan-0")
    assert counts(sync()) == (0, ALL, 0)
    assert by_name(client)["gan-0"].info.run_id in (run.info.run_id, twin.info.run_id)


def test_a_diverged_run_is_failed_and_has_a_reason(client: MlflowClient) -> None:
    sync()
    runs = by_name(client)
    assert runs["gan-1"].info.status == "FAILED"
    assert runs["gan-1"].data.tags["reason"] == "g_loss became nan"
    assert "fid/fid_judge" not in runs["gan-1"].data.metrics
    assert {runs[name].info.status for name in ("gan-0", "vae-0", "floor-0", "gan")} == {"FINISHED"}


def test_tags_have_the_commit_and_a_dirty_flag(root: Path, client: MlflowClient) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    git("add", "results")
    git("commit", "-m", "results")
    sync()
    write_score(root, "gan-0", 10.0)
    sync()
    runs = {(run.info.run_name, run.data.tags["current"]): run for run in all_runs(client)}
    tags = {current: runs["gan-0", current].data.tags for current in ("true", "false")}
    head = git("rev-parse", "HEAD")
    assert {tags[current]["mlflow.source.git.commit"] for current in tags} == {head}
    assert tags["false"]["git.dirty"] == "false"
    assert tags["true"]["git.dirty"] == "true"


def test_a_changed_score_is_a_new_run_and_the_old_run_is_kept(
    root: Path, client: MlflowClient
) -> None:
    def fids() -> dict[float, str]:
        same = [run for run in all_runs(client) if run.data.tags["ganvae.key"] == "toy/gan-0"]
        return {run.data.metrics["fid/fid_judge"]: run.data.tags["current"] for run in same}

    sync()
    write_score(root, "gan-0", 9.0)
    assert counts(sync()) == (2, ALL - 2, 0)
    assert fids() == {11.5: "false", 9.0: "true"}
    write_score(root, "gan-0", 11.5)
    assert counts(sync()) == (0, ALL, 0)
    assert fids() == {11.5: "true", 9.0: "false"}


def test_a_picture_that_was_drawn_again_is_replaced_in_the_same_run(
    root: Path, client: MlflowClient
) -> None:
    sync()
    picture = root / "artifacts" / PROFILE / "pictures/vae-0/reconstructions.png"
    picture.write_bytes(picture.read_bytes() + b"\0")
    assert counts(sync()) == (0, ALL, 0)
    run_id = by_name(client)["vae-0"].info.run_id
    shown = Path(client.download_artifacts(run_id, "reconstructions.png"))
    assert shown.read_bytes() == picture.read_bytes()


def test_later_pictures_are_added_and_deleted_pictures_stay(
    root: Path, client: MlflowClient
) -> None:
    drawn = root / "artifacts" / PROFILE / "pictures"
    aside = drawn.rename(root / "aside")
    assert sync().made == ALL
    aside.rename(drawn)
    assert counts(sync()) == (0, ALL, 0)
    shutil.rmtree(drawn)
    assert counts(sync()) == (0, ALL, 0)
    run_id = by_name(client)["vae-0"].info.run_id
    pictures = {file.path for file in client.list_artifacts(run_id)} - {"images"}
    assert pictures == {"samples.png", "reconstructions.png", "training.gif"}


def test_another_training_time_creates_no_new_run(root: Path, client: MlflowClient) -> None:
    sync()
    timing = root / "results" / PROFILE / "runs/gan-0/timing.json"
    timing.write_text('{"train_seconds": 99.0}')
    assert counts(sync()) == (0, ALL, 0)


def test_incomplete_runs_of_an_interrupted_sync_are_created_again(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = MlflowClient.set_terminated
    calls = Counter[str]()

    def interrupted(*arguments: object) -> None:
        calls["set_terminated"] += 1
        if calls["set_terminated"] == 2:
            raise KeyboardInterrupt
        finish(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_terminated", interrupted)
        with pytest.raises(KeyboardInterrupt):
            sync()
    (incomplete,) = [run for run in all_runs(client) if "ganvae.digest" not in run.data.tags]
    pictures = local_path(incomplete.info.artifact_uri)
    assert len(all_runs(client)) == 2
    assert pictures
    pictures.mkdir(parents=True, exist_ok=True)
    (pictures / ".artifact.uploading.half").touch()
    assert counts(sync()) == (ALL - 1, 1, 0)
    assert not pictures.parent.exists()
    runs = by_name(client)
    assert runs.keys() == NAMES
    assert all("ganvae.digest" in run.data.tags for run in runs.values())
    assert {run.data.tags["current"] for run in runs.values()} == {"true"}


def test_a_run_without_scores_is_skipped(root: Path, client: MlflowClient) -> None:
    (root / "results" / PROFILE / "runs/vae-0/scores.json").unlink()
    assert counts(sync()) == (ALL - 2, 0, 1)
    assert "vae-0" not in by_name(client)


def test_a_clone_without_artifacts_shows_the_published_pictures(
    root: Path, client: MlflowClient
) -> None:
    """One run per variant has pictures, in formats that MLflow's pages can show."""
    paths = ProfilePaths(PROFILE)
    seeds = [read_record(root / paths.run(f"gan-{seed}").scores) for seed in (0, 1)]
    write_records(root / paths.results / "scores.json", seeds)
    frames = [Image.new("L", (8, 8), shade) for shade in (0, 250)]
    (root / paths.pictures / "gan").mkdir(parents=True)
    frames[0].save(root / paths.pictures / "gan/samples.webp")
    (root / paths.pictures / "gan/training.avif").write_bytes(encode_film(frames))
    shutil.rmtree(root / "artifacts")
    assert sync().made > 0
    runs = by_name(client)
    pictures = {file.path for file in client.list_artifacts(runs["gan-0"].info.run_id)}
    assert pictures == {"samples.png", "training.gif"}
    assert not client.list_artifacts(runs["gan-1"].info.run_id)


def test_runs_and_experiments_deleted_in_the_ui_are_restored(client: MlflowClient) -> None:
    sync()
    client.delete_run(by_name(client)["gan-0"].info.run_id)
    assert counts(sync()) == (1, ALL - 1, 0)
    client.delete_experiment(client.get_experiment_by_name("mnist").experiment_id)
    sync()
    current = [run for run in all_runs(client) if run.data.tags["current"] == "true"]
    assert Counter(run.data.tags["ganvae.key"] for run in current) == Counter(KEYS)


def test_a_single_profile_can_be_synced(root: Path, client: MlflowClient) -> None:
    shutil.copytree(root / "results" / PROFILE, root / "results/other")
    assert counts(sync("other")) == (ALL, 0, 0)
    assert {run.data.tags["profile"] for run in all_runs(client)} == {"other"}
    assert counts(sync()) == (ALL, ALL, 0)


def test_the_error_for_an_unknown_profile_lists_the_profiles(root: Path) -> None:
    (root / "results/submitted/toy").mkdir(parents=True)
    with pytest.raises(UserError, match=r"'nope' .* Profiles with results: toy\.$"):
        sync("nope")


def test_a_broken_validation_record_is_an_error_in_one_line(root: Path) -> None:
    path = root / "results" / PROFILE / "runs/vae-0/validation.json"
    path.write_text('{"fid_judge": "low"}')
    with pytest.raises(UserError, match=r"validation.json: not a validation record \(fid_judge"):
        sync()


@pytest.mark.parametrize("subfolder", ["", "profiles/smoke"])
def test_the_database_is_in_the_repositorys_root(
    bare: Path, monkeypatch: pytest.MonkeyPatch, subfolder: str
) -> None:
    (bare / subfolder).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(bare / subfolder)
    assert find_store().sqlite_file == bare / "mlflow.db"
    assert find_store().artifacts == bare / "mlartifacts"
    monkeypatch.setenv("DVC_ROOT", "/main")  # as in an experiment that DVC runs in another folder
    assert str(find_store()) == "sqlite:////main/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host:5000/")
    assert find_store().uri == "http://host:5000"
    assert find_store().is_server


def test_a_password_is_never_shown(bare: Path) -> None:
    secret = find_store("postgresql://user:secret@host/db")
    assert str(secret) == "postgresql://user:***@host/db"
    assert secret.uri == "postgresql://user:secret@host/db"


@pytest.mark.parametrize("command", [sync, serve], ids=["sync", "ui"])
def test_a_folder_outside_of_projects_is_refused_before_anything_is_written(
    bare: Path, monkeypatch: pytest.MonkeyPatch, command: Callable[[], object]
) -> None:
    (bare / ".dvc").rmdir()
    before = sorted(bare.rglob("*"))
    with pytest.raises(UserError, match=f"^{bare} is not in a project or a clone. Run the comm"):
        command()
    assert sorted(bare.rglob("*")) == before


def test_an_unknown_profile_is_refused_before_anything_is_written(bare: Path) -> None:
    before = sorted(bare.rglob("*"))
    with pytest.raises(UserError, match="'wrong' has no folder results/wrong"):
        sync("wrong")
    assert sorted(bare.rglob("*")) == before


def assert_says_what_to_do(error: TrackingError, uri: str) -> None:
    message = str(error)
    assert uri in message
    assert "Nothing in results/ is lost" in message
    assert "ganvae sync" in message
    assert "\n" not in message


def test_a_store_that_cannot_be_written_is_an_error_in_one_line(bare: Path) -> None:
    (bare / "file").touch()
    uri = f"sqlite:///{bare}/file/mlflow.db"
    with pytest.raises(TrackingError) as caught:
        sync(uri=uri)
    assert_says_what_to_do(caught.value, uri)


def test_an_unreachable_server_is_an_error_in_one_line(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingError) as caught:
        sync(uri="http://user:secret@127.0.0.1:9")
    assert_says_what_to_do(caught.value, "http://user:***@127.0.0.1:9")
    assert "secret" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_locked_database_is_an_error_in_one_line(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "DATABASE_SECONDS", 0.1)
    with closing(sqlite3.connect(root / "mlflow.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TrackingError, match="database is locked") as caught:
            sync()
    assert_says_what_to_do(caught.value, f"sqlite:///{root}/mlflow.db")


def test_work_that_can_go_on_without_mlflow_waits_for_a_limited_time(root: Path) -> None:
    limited = connected(find_store(), patience=0.1)
    with connected(find_store()), pytest.raises(TrackingError, match="another process"), limited:
        pass


def test_a_sync_waits_for_another_one_and_then_reads_the_results(
    root: Path,
    client: MlflowClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def other_sync() -> None:
        with FileLock(find_store().lock):
            holds.set()
            time.sleep(1.0)
            write_score(root, "gan-0", 3.5)

    monkeypatch.setattr(store, "NOTICE_SECONDS", 0.1)
    holds = Event()
    Thread(target=other_sync).start()
    assert holds.wait(10)
    assert sync().made == ALL
    assert by_name(client)["gan-0"].data.metrics["fid/fid_judge"] == 3.5
    assert "waiting for another process that writes to MLflow" in capsys.readouterr().out


def test_another_store_gets_all_runs_with_their_own_artifacts(
    root: Path, client: MlflowClient, empty_database: Path
) -> None:
    sync()
    shutil.rmtree(root / "mlartifacts")  # it cannot be moved, since the database has absolute paths
    (root / "elsewhere").mkdir()
    uri = f"sqlite:///{shutil.copy(empty_database, root / 'elsewhere/mlflow.db')}"
    assert sync(uri=uri).made == ALL
    elsewhere = MlflowClient(uri)
    run = by_name(elsewhere)["vae-0"]
    assert run.info.artifact_uri.startswith((root / "elsewhere/mlartifacts").as_uri())
    assert "samples.png" in {file.path for file in elsewhere.list_artifacts(run.info.run_id)}
    version = elsewhere.get_model_version_by_alias(f"mnist-{PROFILE}", "champion-gan")
    assert version.source.startswith((root / "elsewhere/mlartifacts").as_uri())
    assert by_name(client).keys() == NAMES


@pytest.mark.slow
def test_a_deleted_database_is_created_again(root: Path) -> None:
    def cli() -> str:
        return subprocess.run(CLI, capture_output=True, text=True, check=True).stdout

    sync()
    (root / "mlflow.db").unlink()
    shutil.rmtree(root / "mlartifacts")
    assert f"{ALL} runs created" in cli()
    assert f"0 runs created, {ALL} already present" in cli()


@pytest.mark.slow
def test_a_sync_killed_while_creating_the_database_leaves_no_broken_database(bare: Path) -> None:
    process = subprocess.Popen(CLI)
    while not (bare / "mlflow.db.new").exists() or (bare / "mlflow.db.new").stat().st_size < 1e5:
        assert process.poll() is None, "the process ended before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (bare / "mlflow.db").exists()
    again = subprocess.run(CLI, capture_output=True, text=True, check=True)
    assert f"{ALL} runs created" in again.stdout


@pytest.mark.slow
def test_four_processes_with_a_new_database_create_each_run_once(bare: Path) -> None:
    processes = [
        subprocess.Popen(CLI, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, outputs
    assert [errors for _, errors in outputs] == [""] * 4
    assert sum(f"{ALL} runs created" in text for text, _ in outputs) == 1
    assert by_name(MlflowClient(f"sqlite:///{bare}/mlflow.db")).keys() == NAMES
    assert not (bare / "mlruns").exists()


def test_a_run_that_the_profile_no_longer_compares_is_skipped(root: Path) -> None:
    folder = root / "results" / PROFILE
    records = [json.loads(path.read_text()) for path in folder.glob("runs/*/scores.json")]
    kept = [record for record in records if record["variant"] != "vae"]
    (folder / "scores.json").write_text(json.dumps(kept))
    assert counts(sync()) == (ALL - 2, 0, 1)


def test_parameters_that_were_not_set_have_their_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"batch_size": 32, "balance": {"ratio": 1.5}}
    assert whole_config("toy", given) == given
    defaults = {"batch_size": 128, "balance": {"ratio": None, "d_steps": 1}, "ema": None}
    write_json(record_path("systems"), {"behaviour": {"toy": {"defaults": defaults}}})
    assert whole_config("toy", given) == {
        "batch_size": 32,
        "balance": {"ratio": 1.5, "d_steps": 1},
        "ema": None,
    }

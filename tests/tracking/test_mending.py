"""Sync mends what happens to clones: moves, copies, deleted folders, renamed experiments."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
from mlflow import MlflowClient
from seen import all_runs, by_name, counts
from test_sync import ALL
from toy_results import PROFILE, write_score

from ganvae.tracking import sync as syncing
from ganvae.tracking.links import NOTE
from ganvae.tracking.live import image_steps
from ganvae.tracking.models import download
from ganvae.tracking.sync import sync

pytest_plugins = ["toy_store"]


def client_of(folder: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")


def run_id(client: MlflowClient, run: str = "vae-0") -> str:
    found: str = by_name(client)[run].info.run_id
    return found


def pictures(client: MlflowClient, run: str = "vae-0") -> set[str]:
    return {file.path for file in client.list_artifacts(run_id(client, run))} - {"images"}


def current(client: MlflowClient, name: str) -> str:
    """Whether the only MLflow run of a training run shows current results."""
    (run,) = (run for run in all_runs(client) if run.info.run_name == name)
    return run.data.tags["current"]


def tree(folder: Path) -> dict[str, int]:
    """When each file below a folder was changed."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def clone(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone in a folder of its own, with all results in MLflow."""
    folder = root / "clone"
    folder.mkdir()
    for path in list(root.iterdir()):
        if path != folder:
            path.rename(folder / path.name)
    monkeypatch.chdir(folder)
    assert counts(sync()) == (ALL, 0, 0)
    return folder


def test_a_moved_clone_shows_the_same_pictures(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pictures(client_of(clone))
    assert before
    moved = clone.with_name("moved clone")
    clone.rename(moved)
    monkeypatch.chdir(moved)
    assert counts(sync()) == (0, ALL, 0)
    client = client_of(moved)
    assert pictures(client) == before
    uris = [run.info.artifact_uri for run in all_runs(client)]
    uris += [client.get_experiment_by_name("mnist").artifact_location]
    assert not [uri for uri in uris if "moved" not in uri]
    weights = download(f"models:/mnist-{PROFILE}@champion-gan")
    assert weights.read_text() == "those of gan-0"
    assert not clone.exists(), "nothing is written where the clone was"


def test_a_copied_clone_writes_nothing_into_the_first(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = clone.with_name("copy")
    shutil.copytree(clone, copied)
    first = tree(clone)
    monkeypatch.chdir(copied)
    drawn = copied / "artifacts" / PROFILE / "pictures/vae-0/samples.png"
    shutil.copy(drawn.with_name("reconstructions.png"), drawn)
    assert counts(sync()) == (0, ALL, 0)
    assert tree(clone) == first


def test_deleted_artifacts_are_written_again(clone: Path) -> None:
    client = client_of(clone)
    before = pictures(client)
    shutil.rmtree(clone / "mlartifacts")
    assert counts(sync()) == (0, ALL, 0)
    assert pictures(client) == before
    assert client.list_artifacts(run_id(client), "images")
    for family in ("gan", "vae"):
        weights = download(f"models:/mnist-{PROFILE}@champion-{family}")
        assert weights.read_text() == f"those of {family}-0"
    files = tree(clone / "mlartifacts")
    sync()
    assert tree(clone / "mlartifacts") == files, "a second sync writes nothing"


@pytest.mark.parametrize("call", ["log_image", "log_artifact"])
def test_artifacts_are_complete_after_a_killed_repair(
    clone: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    client = client_of(clone)
    before, steps = pictures(client), image_steps(client, run_id(client))
    shutil.rmtree(clone / "mlartifacts")
    log, calls = getattr(MlflowClient, call), Counter[str]()

    def second_is_killed(*arguments: object, **options: object) -> None:
        calls[call] += 1
        if calls[call] == 2:
            raise KeyboardInterrupt
        log(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, call, second_is_killed)
        with pytest.raises(KeyboardInterrupt):
            sync()
    assert counts(sync()) == (0, ALL, 0)
    assert pictures(client) == before
    assert image_steps(client, run_id(client)) == steps != set()
    assert pictures(client, "gan-0")
    assert image_steps(client, run_id(client, "gan-0")) == steps


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_the_notes_of_a_killed_sync_are_written_by_the_next_one(
    root: Path, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(syncing, "write_notes", killed)
        with pytest.raises(KeyboardInterrupt):
            sync()
    assert NOTE not in client.get_experiment_by_name("mnist").tags
    assert sync().made == 0
    assert PROFILE in client.get_experiment_by_name("mnist").tags[NOTE]


def test_a_renamed_experiment_is_used_under_its_new_name(clone: Path) -> None:
    client = client_of(clone)
    experiment = client.get_experiment_by_name("mnist")
    client.rename_experiment(experiment.experiment_id, "digits")
    assert counts(sync()) == (0, ALL, 0)
    assert client.get_experiment_by_name("mnist") is None
    write_score(clone, "gan-1", 3.0)
    assert sync().made > 0
    assert client.get_experiment_by_name("mnist") is None
    assert len(all_runs(client, "digits")) > ALL


def test_a_run_that_was_taken_out_is_no_longer_current(clone: Path) -> None:
    client = client_of(clone)
    folder = clone / "results" / PROFILE / "runs/gan-1"
    aside = folder.rename(clone / "gan-1")
    sync()
    assert (current(client, "gan-0"), current(client, "gan-1")) == ("true", "false")
    aside.rename(folder)
    sync()
    assert (current(client, "gan-0"), current(client, "gan-1")) == ("true", "true")

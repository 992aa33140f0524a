"""Test the registration and download of the best GAN and the best VAE on the validation split."""

import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from toy_results import PROFILE, write_run, write_score, write_validation

from ganvae.core.errors import ConfigError, DataError
from ganvae.core.files import write_json
from ganvae.tracking.models import download
from ganvae.tracking.sync import sync

pytest_plugins = ["toy_store"]
MODEL = f"mnist-{PROFILE}"


def champion(client: MlflowClient, family: str) -> ModelVersion:
    return client.get_model_version_by_alias(MODEL, f"champion-{family}")


def versions(client: MlflowClient) -> int:
    return len(client.search_model_versions(f"name = '{MODEL}'"))


def test_champions_are_the_best_on_the_validation_split(root: Path, client: MlflowClient) -> None:
    write_run(root, "gan-2", "gan", (), {})
    write_validation(root, "gan-2", 9.5)
    write_score(root, "gan-2", 99.0)  # worse on the test split
    write_run(root, "mix-0", "hybrid", (), {})
    write_validation(root, "mix-0", 1.0)
    write_run(root, "gan-3", "gan", (), {}, status="collapsed")
    write_validation(root, "gan-3", 2.0)
    sync()
    gan, vae = champion(client, "gan"), champion(client, "vae")
    expected = {"variant": "gan", "seed": "2", "fid_judge_validation": "9.5", "profile": PROFILE}
    assert expected.items() <= gan.tags.items()
    assert vae.tags["variant"] == "vae"
    run = client.get_run(gan.run_id)
    assert run.info.run_name == "gan-2"
    logged = client.search_logged_models([run.info.experiment_id])
    assert {model.name: model.status for model in logged} == {"gan-2": "READY", "vae-0": "READY"}
    assert versions(client) == 2


def test_a_second_sync_registers_nothing(client: MlflowClient) -> None:
    sync()
    sync()
    assert versions(client) == 2


def test_a_better_run_gets_the_alias_and_a_worse_one_loses_it(
    root: Path, client: MlflowClient
) -> None:
    sync()
    first = champion(client, "gan").version
    write_run(root, "gan-2", "gan", (), {})
    write_validation(root, "gan-2", 9.5)
    sync()
    assert champion(client, "gan").tags["seed"] == "2"
    write_validation(root, "gan-2", 90.5)
    sync()
    assert champion(client, "gan").version == first
    assert versions(client) == 3


@pytest.mark.parametrize("place", ["@champion-gan", "/1"])
def test_download_returns_the_weights_of_the_champion(root: Path, place: str) -> None:
    sync()
    path = download(f"models:/{MODEL}{place}")
    assert path.suffix == ".safetensors"
    assert path.read_text() == "those of gan-0"
    assert path.is_relative_to(root)


def test_a_damaged_download_is_repeated_and_a_damaged_model_is_refused(
    root: Path, client: MlflowClient
) -> None:
    sync()
    uri = f"models:/{MODEL}@champion-vae"
    download(uri).write_text("half of")
    assert download(uri).read_text() == "those of vae-0"
    download(uri).unlink()
    [registered] = [
        path
        for path in (root / "mlartifacts").rglob("weights.safetensors")
        if path.read_text() == "those of vae-0"
    ]
    registered.write_text("others")
    with pytest.raises(DataError, match="not the file that was registered as version 2"):
        download(uri)


@pytest.mark.parametrize(
    "uri", [f"models:/{MODEL}@champion-hybrid", f"models:/{MODEL}/9", "models:/mnist-other/1"]
)
def test_the_error_for_an_unknown_model_lists_registered_models(root: Path, uri: str) -> None:
    sync()
    with pytest.raises(ConfigError, match=f"models:/{MODEL}@champion-gan, models:") as caught:
        download(uri)
    assert uri in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_database_is_named_and_not_created(bare: Path) -> None:
    before = sorted(bare.rglob("*"))
    with pytest.raises(ConfigError, match=r"no MLflow database at sqlite:.*Run `ganvae sync`"):
        download("models:/mnist-toy@champion-gan")
    assert sorted(bare.rglob("*")) == before


@pytest.mark.usefixtures("root")
def test_an_empty_registry_and_a_malformed_uri_are_named() -> None:
    with pytest.raises(ConfigError, match="Registered models: none \(`ganvae sync`"):
        download("models:/mnist-toy@champion-gan")
    with pytest.raises(ConfigError, match="Give models:/NAME@ALIAS"):
        download("models:/mnist-toy")


def test_runs_without_weights_on_this_machine_are_not_registered(
    root: Path, client: MlflowClient
) -> None:
    shutil.rmtree(root / "artifacts")
    report = sync()
    assert "dvc pull" in str(report)
    assert report.remarks == (
        "these champions have no weights on this machine, so they are not registered: "
        f"{PROFILE} gan, {PROFILE} vae. Run `dvc pull` and then `ganvae sync`.",
    )
    assert not client.search_registered_models()


def test_in_a_clone_the_shipped_weights_of_the_variant_are_registered(
    root: Path, client: MlflowClient
) -> None:
    shutil.rmtree(root / "artifacts")
    shipped = root / f"results/{PROFILE}/pretrained"
    write_run(root, "gan-2", "gan", (), {})
    write_validation(root, "gan-2", 9.5)  # the best seed, but the repository ships seed 0
    (root / f"artifacts/{PROFILE}/gan-2/weights.safetensors").unlink()
    write_json(shipped / "index.json", {"gan": {"seed": 0, "weights_sha256": "x"}})
    (shipped / "gan.safetensors").write_text("half of gan-0")
    report = sync()
    assert report.remarks[0] == (
        "the champions of these profiles are registered with the 16-bit weights that the "
        f"repository ships: {PROFILE}. To register the scored weights, run `dvc repro` and then "
        "`ganvae sync`."
    )
    version = champion(client, "gan")
    assert version.tags["weights"] == "the 16-bit weights that the repository ships"
    assert (version.tags["variant"], version.tags["seed"]) == ("gan", "0")
    assert "fid_judge_validation" not in version.tags, "this FID belongs to another seed"
    assert client.get_run(version.run_id).info.run_name == "gan-0"
    assert download(f"models:/{MODEL}@champion-gan").read_text() == "half of gan-0"
    write_run(root, "gan-2", "gan", (), {})  # as after `dvc repro`, with its weights
    write_validation(root, "gan-2", 9.5)
    sync()
    assert champion(client, "gan").tags["seed"] == "2"


def test_shipped_weights_of_a_run_with_incomplete_records_are_not_registered(
    root: Path, client: MlflowClient
) -> None:
    """DVC removes the scores of a run before it evaluates the run again."""
    write_run(root, "gan-2", "gan", (), {})
    write_validation(root, "gan-2", 9.5)
    (root / f"artifacts/{PROFILE}/gan-2/weights.safetensors").unlink()
    shipped = root / f"results/{PROFILE}/pretrained"
    write_json(shipped / "index.json", {"gan": {"seed": 0, "weights_sha256": "x"}})
    (shipped / "gan.safetensors").write_text("half of gan-0")
    scores = root / f"results/{PROFILE}/runs/gan-0/scores.json"
    kept = scores.read_bytes()
    scores.unlink()
    assert sync().remarks == (
        "the records of these runs are incomplete, so their weights are not registered: "
        f"{PROFILE}/gan-0. Run `dvc repro` and then `ganvae sync`.",
    )
    assert list(client.get_registered_model(MODEL).aliases) == ["champion-vae"]
    scores.write_bytes(kept)
    sync()
    assert champion(client, "gan").tags["seed"] == "0"


def test_weights_that_were_not_scored_are_not_registered(root: Path, client: MlflowClient) -> None:
    (root / f"artifacts/{PROFILE}/gan-0/weights.safetensors").write_text("of another training")
    assert len(sync().remarks) == 1
    assert list(client.get_registered_model(MODEL).aliases) == ["champion-vae"]


@pytest.mark.parametrize("call", ["log_model_artifact", "create_model_version"])
def test_a_killed_registration_leaves_no_other_weights(
    root: Path, client: MlflowClient, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, call, killed)
        with pytest.raises(KeyboardInterrupt):
            sync()
    sync()
    assert versions(client) == 2
    experiment = client.get_experiment_by_name("mnist").experiment_id
    logged = client.search_logged_models([experiment])
    assert [str(model.status) for model in logged] == ["READY", "READY"]
    folders = {path.name for path in (root / "mlartifacts/mnist/models").iterdir()}
    assert folders == {model.model_id for model in logged}
    assert download(f"models:/{MODEL}@champion-gan").read_text() == "those of gan-0"

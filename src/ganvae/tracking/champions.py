"""The best GAN and the best VAE of a profile in MLflow's registry of models."""

from collections.abc import Iterable, Mapping

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion, RegisteredModel

from ganvae.core.files import sha256
from ganvae.tracking.runs import VALIDATION
from ganvae.tracking.tracked import SeedRun

FAMILIES = ("gan", "vae")
WEIGHTS = "weights.safetensors"
WEIGHTS_SHA256 = "weights_sha256"


def register_champions(
    client: MlflowClient,
    runs: Iterable[SeedRun],
    run_ids: Mapping[str, str],
    experiments: Mapping[str, str],
) -> list[str]:
    """Register each profile's best completed GAN and VAE by FID on the validation split.

    They are versions of the model ``<dataset>-<profile>`` under the aliases ``champion-gan`` and
    ``champion-vae``: a safetensors file each, nothing pickled. A champion that is there already is
    left as it is.

    Args:
        run_ids: by key, the run in MLflow.
        experiments: ids by name.

    Returns:
        What there is to say of champions that could not be registered.
    """
    remarks = []
    for champion in _champions(runs):
        if _weights_are_there(champion):
            _register(client, champion, run_ids[champion.key], experiments[champion.experiment])
        else:
            remarks.append(
                f"{champion.key} is not registered as a champion: the weights that were scored are "
                "not here; `dvc pull` or `dvc repro` brings them"
            )
    return remarks


def model_name(run: SeedRun) -> str:
    """What the registry calls the model that has the champions of the run's profile."""
    return f"{run.experiment}-{run.profile}"


def _champions(runs: Iterable[SeedRun]) -> list[SeedRun]:
    best: dict[tuple[str, str], SeedRun] = {}
    for run in runs:
        record, fid = run.record, run.record.scores.get(VALIDATION)
        if record.family in FAMILIES and record.status == "completed" and fid is not None:
            place = model_name(run), record.family
            if place not in best or fid < _validation_fid(best[place]):
                best[place] = run
    return list(best.values())


def _validation_fid(run: SeedRun) -> float:
    fid = run.record.scores[VALIDATION]
    assert fid is not None
    return fid


def _weights_are_there(run: SeedRun) -> bool:
    """Whether the file is there and is the one that was scored."""
    path, scored = run.weights, run.record.provenance.weights_sha256
    return path is not None and path.exists() and sha256(path) == scored


def _register(client: MlflowClient, run: SeedRun, run_id: str, experiment: str) -> None:
    name, alias = model_name(run), f"champion-{run.record.family}"
    registered = _registered(client, name)
    checksum = str(run.record.provenance.weights_sha256)
    versions = client.search_model_versions(f"name = '{name}'")
    same = [version for version in versions if version.tags.get(WEIGHTS_SHA256) == checksum]
    version = same[0] if same else _make_version(client, name, run, run_id, experiment)
    if str(registered.aliases.get(alias)) != str(version.version):  # some stores give numbers
        client.set_registered_model_alias(name, alias, version.version)


def _registered(client: MlflowClient, name: str) -> RegisteredModel:
    found = client.search_registered_models(f"name = '{name}'")
    return found[0] if found else client.create_registered_model(name)


def _make_version(
    client: MlflowClient, name: str, run: SeedRun, run_id: str, experiment: str
) -> ModelVersion:
    tags = {
        WEIGHTS_SHA256: str(run.record.provenance.weights_sha256),
        "variant": run.record.variant,
        "seed": str(run.record.seed),
        "profile": run.profile,
        VALIDATION: str(_validation_fid(run)),
    }
    logged = client.create_logged_model(
        experiment, run.name, source_run_id=run_id, tags=tags, model_type=run.record.family
    )
    client.log_model_artifact(logged.model_id, str(run.weights))
    client.finalize_logged_model(logged.model_id, "READY")
    return client.create_model_version(
        name, logged.artifact_location, run_id, tags, model_id=logged.model_id
    )

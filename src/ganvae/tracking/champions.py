"""Register champions, the best GAN and best VAE of each profile, in MLflow's model registry."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities import LoggedModel
from mlflow.entities.model_registry import ModelVersion, RegisteredModel

from ganvae.core.files import read_json, sha256
from ganvae.core.paths import ProfilePaths
from ganvae.tracking.names import VALIDATION, WEIGHTS_SHA256
from ganvae.tracking.places import delete_logged_model, is_lost
from ganvae.tracking.tracked import SeedRun

FAMILIES = ("gan", "vae")
HERE = "the weights that were scored"
SHIPPED = "the 16-bit weights that the repository ships"


class Weights(NamedTuple):
    """A champion's weights: the path of the file, the training seed, and the origin of the file."""

    path: Path
    seed: int
    origin: str


def register_champions(
    client: MlflowClient,
    runs: Iterable[SeedRun],
    run_ids: Mapping[str, str],
    experiments: Mapping[str, str],
    root: Path,
) -> list[str]:
    """Register each profile's best completed GAN and VAE by FID on the validation split.

    The champions become versions of the registered model ``<dataset>-<profile>``, under the
    aliases ``champion-gan`` and ``champion-vae``. Each version is one safetensors file. If the
    scored weights are not on this machine, the variant's 16-bit weights in the repository are
    registered instead. A champion without any weights is not registered, and neither is one whose
    weights are from a training run without an MLflow run.

    Args:
        runs: the training runs to choose from.
        run_ids: a mapping from key to id of each MLflow run.
        experiments: a mapping from name to id of each MLflow experiment.
        root: the repository's root.

    Returns:
        Remarks for the user: which champions use the repository's weights, and which champions are
        not registered.
    """
    shipped: dict[str, list[str]] = defaultdict(list)
    missing, incomplete = [], []
    for champion in _champions(runs):
        weights = find_weights(champion, root)
        if weights is None:
            missing.append(f"{champion.profile} {champion.record.family}")
            continue
        key = f"{champion.profile}/{champion.record.variant}-{weights.seed}"
        if key not in run_ids:  # such as a run that DVC evaluates again just now
            incomplete.append(key)
            continue
        _register(client, champion, weights, run_ids[key], experiments[champion.experiment])
        if weights.origin == SHIPPED:
            shipped[champion.profile].append(champion.record.family)
    return list(_remarks(shipped, missing, incomplete))


def _remarks(
    shipped: Mapping[str, list[str]], missing: list[str], incomplete: list[str]
) -> Iterator[str]:
    if shipped:
        names = ", ".join(shipped)
        yield (
            f"the champions of these profiles are registered with {SHIPPED}: {names}. "
            "To register the scored weights, run `dvc repro` and then `ganvae sync`."
        )
    if missing:
        yield (
            "these champions have no weights on this machine, so they are not registered: "
            f"{', '.join(missing)}. Run `dvc pull` and then `ganvae sync`."
        )
    if incomplete:
        yield (
            "the records of these runs are incomplete, so their weights are not registered: "
            f"{', '.join(incomplete)}. Run `dvc repro` and then `ganvae sync`."
        )


def model_name(run: SeedRun) -> str:
    """Return the name of the registered model for a training run's profile: `mnist-laptop`."""
    return f"{run.experiment}-{run.profile}"


def find_weights(run: SeedRun, root: Path) -> Weights | None:
    """Find the weights of a training run on this machine.

    If the scored weights are missing, the variant's 16-bit weights in the repository are returned.
    None if the repository has no weights of the variant.
    """
    scored = run.record.provenance.weights_sha256
    if run.weights and run.weights.exists() and sha256(run.weights) == scored:
        return Weights(run.weights, run.record.seed, HERE)
    folder = root / ProfilePaths(run.profile).pretrained
    file = folder / f"{run.record.variant}.safetensors"
    if not file.exists():
        return None
    seed = read_json(folder / "index.json")[run.record.variant]["seed"]
    return Weights(file, seed, SHIPPED)


def _champions(runs: Iterable[SeedRun]) -> list[SeedRun]:
    best: dict[tuple[str, str], SeedRun] = {}
    for run in runs:
        record, fid = run.record, run.record.scores.get(VALIDATION)
        if record.family in FAMILIES and record.status == "completed" and fid is not None:
            key = model_name(run), record.family
            if key not in best or fid < _validation_fid(best[key]):
                best[key] = run
    return list(best.values())


def _validation_fid(run: SeedRun) -> float:
    fid = run.record.scores[VALIDATION]
    assert fid is not None
    return fid


def _register(
    client: MlflowClient, run: SeedRun, weights: Weights, run_id: str, experiment: str
) -> None:
    name, alias = model_name(run), f"champion-{run.record.family}"
    registered = _registered(client, name)
    tags = {
        WEIGHTS_SHA256: sha256(weights.path),
        "weights": weights.origin,
        "variant": run.record.variant,
        "seed": str(weights.seed),
        "profile": run.profile,
    }
    if weights.seed == run.record.seed:
        tags[VALIDATION] = str(_validation_fid(run))
    versions = client.search_model_versions(f"name = '{name}'")
    same = [old for old in versions if old.tags.get(WEIGHTS_SHA256) == tags[WEIGHTS_SHA256]]
    for lost in [old for old in same if is_lost(old.source)]:
        client.delete_model_version(name, lost.version)
        same.remove(lost)
    version = same[0] if same else _make_version(client, name, weights, tags, run_id, experiment)
    if str(registered.aliases.get(alias)) != str(version.version):  # some stores return numbers
        client.set_registered_model_alias(name, alias, version.version)


def _registered(client: MlflowClient, name: str) -> RegisteredModel:
    existing = client.search_registered_models(f"name = '{name}'")
    return existing[0] if existing else client.create_registered_model(name)


def _make_version(
    client: MlflowClient,
    name: str,
    weights: Weights,
    tags: Mapping[str, str],
    run_id: str,
    experiment: str,
) -> ModelVersion:
    logged = _logged_model(client, tags, experiment)
    if logged is None:
        run = f"{tags['variant']}-{tags['seed']}"
        logged = client.create_logged_model(experiment, run, source_run_id=run_id, tags=dict(tags))
        client.log_model_artifact(logged.model_id, str(weights.path))
        client.finalize_logged_model(logged.model_id, "READY")
    return client.create_model_version(
        name, logged.artifact_location, run_id, dict(tags), model_id=logged.model_id
    )


def _logged_model(
    client: MlflowClient, tags: Mapping[str, str], experiment: str
) -> LoggedModel | None:
    """Return the logged model of a sync that was killed before it created the model version.

    Logged models of this champion without complete weights are deleted. None if none is complete.
    """
    same = (
        f"tags.{WEIGHTS_SHA256} = '{tags[WEIGHTS_SHA256]}' AND tags.profile = '{tags['profile']}'"
    )
    found = None
    for model in client.search_logged_models([experiment], same):
        if str(model.status) == "READY" and not is_lost(model.artifact_location):
            found = model
        else:
            delete_logged_model(client, model)
    return found

"""The best GAN and the best VAE of a profile in MLflow's registry of models."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion, RegisteredModel

from ganvae.core.files import read_json, sha256
from ganvae.core.paths import ProfilePaths
from ganvae.tracking.names import VALIDATION, WEIGHTS_SHA256
from ganvae.tracking.tracked import SeedRun

FAMILIES = ("gan", "vae")
HERE = "those that were scored"
SHIPPED = "the 16-bit weights that the repository ships"


class Weights(NamedTuple):
    """A champion's file: of which of its variant's seeds it is, and where it comes from."""

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

    They become versions of the model ``<dataset>-<profile>`` under the aliases ``champion-gan``
    and ``champion-vae``, a safetensors file each. If the weights that were scored are not on this
    machine, the 16-bit ones of the same variant stand in, if the repository ships them.

    Args:
        run_ids: by key, the run in MLflow.
        experiments: ids by name.
        root: the repository's root.

    Returns:
        Remarks for the user: which champions are shipped ones, and which are missing.
    """
    shipped: dict[str, list[str]] = defaultdict(list)
    missing = []
    for champion in _champions(runs):
        weights = find_weights(champion, root)
        if weights is None:
            missing.append(f"{champion.profile} {champion.record.family}")
            continue
        key = f"{champion.profile}/{champion.record.variant}-{weights.seed}"
        _register(client, champion, weights, run_ids[key], experiments[champion.experiment])
        if weights.origin == SHIPPED:
            shipped[champion.profile].append(champion.record.family)
    return list(_remarks(shipped, missing))


def _remarks(shipped: Mapping[str, list[str]], missing: list[str]) -> Iterator[str]:
    if shipped:
        names = ", ".join(shipped)
        yield f"champions of {names}: {SHIPPED}; `dvc repro` registers {HERE}"
    if missing:
        yield f"no weights here for the champions {', '.join(missing)}: run `dvc pull`"


def model_name(run: SeedRun) -> str:
    """The registry's model that has the champions of the run's profile."""
    return f"{run.experiment}-{run.profile}"


def find_weights(run: SeedRun, root: Path) -> Weights | None:
    """The weights that were scored, or the shipped ones of the variant; None without either."""
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
            place = model_name(run), record.family
            if place not in best or fid < _validation_fid(best[place]):
                best[place] = run
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
    same = [one for one in versions if one.tags.get(WEIGHTS_SHA256) == tags[WEIGHTS_SHA256]]
    version = same[0] if same else _make_version(client, name, weights, tags, run_id, experiment)
    if str(registered.aliases.get(alias)) != str(version.version):  # some stores give numbers
        client.set_registered_model_alias(name, alias, version.version)


def _registered(client: MlflowClient, name: str) -> RegisteredModel:
    found = client.search_registered_models(f"name = '{name}'")
    return found[0] if found else client.create_registered_model(name)


def _make_version(
    client: MlflowClient,
    name: str,
    weights: Weights,
    tags: Mapping[str, str],
    run_id: str,
    experiment: str,
) -> ModelVersion:
    run = f"{tags['variant']}-{tags['seed']}"
    logged = client.create_logged_model(experiment, run, source_run_id=run_id, tags=dict(tags))
    client.log_model_artifact(logged.model_id, str(weights.path))
    client.finalize_logged_model(logged.model_id, "READY")
    return client.create_model_version(
        name, logged.artifact_location, run_id, dict(tags), model_id=logged.model_id
    )

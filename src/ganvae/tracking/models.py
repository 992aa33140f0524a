"""Download weights from MLflow's model registry."""

import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion

from ganvae.core.errors import ConfigError, DataError
from ganvae.core.files import replacing, sha256
from ganvae.core.paths import checkout_root
from ganvae.tracking.names import WEIGHTS_SHA256
from ganvae.tracking.store import Store, connected, find_store

CACHE = Path(".state/registry")
URI = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))")


def download(uri: str) -> Path:
    """Download the weights of a registered model.

    Args:
        uri: ``models:/mnist-laptop@champion-gan``, or ``models:/mnist-laptop/1``.

    Returns:
        The path of a safetensors file on this machine. The file is downloaded once, and its
        checksum is verified each time.

    Raises:
        ConfigError: the URI is malformed, names no registered model, or MLflow's database is a
            missing file. The error message lists the registered models.
        DataError: the checksum of the downloaded file differs from the registered checksum.
        TrackingError: MLflow cannot be reached.
    """
    match = URI.fullmatch(uri)
    if not match:
        raise ConfigError(
            f"{uri} does not name a registered model. Give models:/NAME@ALIAS or "
            "models:/NAME/VERSION, for example models:/mnist-laptop@champion-gan."
        )
    store = find_store()
    if store.sqlite_file and not store.sqlite_file.exists():  # to connect would create the file
        raise ConfigError(
            f"There is no MLflow database at {store}. Run `ganvae sync` in a clone or project, or "
            "set MLFLOW_TRACKING_URI to the address of your MLflow."
        )
    with connected(store) as client:
        version = _find(client, match)
        if version is None:
            known = ", ".join(_known(client)) or "none (`ganvae sync` registers champions)"
            raise ConfigError(f"MLflow at {store} has no model {uri}. Registered models: {known}.")
        return _fetch(store, version)


def _find(client: MlflowClient, wanted: re.Match[str]) -> ModelVersion | None:
    name, alias, number = wanted["name"], wanted["alias"], wanted["version"]
    for model in client.search_registered_models(f"name = '{name}'"):
        number = model.aliases.get(alias) if alias else number
        versions = client.search_model_versions(f"name = '{name}'")
        return next((known for known in versions if str(known.version) == str(number)), None)
    return None


def _known(client: MlflowClient) -> list[str]:
    return [
        f"models:/{model.name}@{alias}"
        for model in client.search_registered_models()
        for alias in sorted(model.aliases)
    ]


def _fetch(store: Store, version: ModelVersion) -> Path:
    checksum = version.tags.get(WEIGHTS_SHA256)
    path = checkout_root() / CACHE / f"{checksum}.safetensors"
    if path.exists() and sha256(path) == checksum:
        return path
    with TemporaryDirectory() as folder:
        source = str(version.source)
        fetched = Path(download_artifacts(source, dst_path=folder, tracking_uri=store.address))
        weights = next(fetched.glob("*.safetensors"), None)
        if weights is None or sha256(weights) != checksum:
            raise DataError(
                f"{source} is not the file that was registered as version {version.version} of "
                f"{version.name}. Delete this version in MLflow, and run `ganvae sync`."
            )
        with replacing(path) as temporary:
            shutil.copyfile(weights, temporary)
    return path

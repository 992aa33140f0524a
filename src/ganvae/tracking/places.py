"""Artifacts that are not where MLflow's database says: a moved clone, or a deleted folder.

MLflow stores absolute paths. After a move of the clone, it would look for pictures in the earlier
folder, and write new ones there.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run

COLUMNS = (
    ("experiments", "artifact_location"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("runs", "artifact_uri"),
)
"""The tables and columns of MLflow's database with paths of artifacts."""
DEFAULT = "mlruns"
"""The folder beside the database that MLflow names for its default experiment."""


def mend_places(database: Path, artifacts: Path) -> None:
    """Let an SQLite database name the artifacts beside it, if it names those of another folder.

    Args:
        artifacts: the folder for artifacts, beside the database.
    """
    with closing(sqlite3.connect(database)) as connection, connection:
        for earlier in _earlier(connection, artifacts):
            _replace(connection, earlier.as_uri(), artifacts.as_uri())
            _replace(connection, str(earlier.with_name(DEFAULT)), str(artifacts.with_name(DEFAULT)))


def _earlier(connection: sqlite3.Connection, artifacts: Path) -> set[Path]:
    """The folders of artifacts, of the same name, that experiments were created in."""
    locations = connection.execute("SELECT artifact_location FROM experiments")
    folders = {folder.parent for (text,) in locations if (folder := local_path(text or ""))}
    return {each for each in folders if each.name == artifacts.name and each != artifacts}


def _replace(connection: sqlite3.Connection, old: str, new: str) -> None:
    """Replace the beginning ``old`` of all paths by ``new``."""
    length = len(old) + 1
    for table, column in COLUMNS:
        change = f"UPDATE {table} SET {column} = ? || substr({column}, ?)"
        connection.execute(
            f"{change} WHERE substr({column}, 1, ?) = ?", (new, length, length, f"{old}/")
        )


def local_path(uri: str) -> Path | None:
    """The path of a ``file:`` URI. None for artifacts on a server."""
    parts = urlsplit(uri)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def is_lost(uri: str) -> bool:
    """Return whether artifacts on this machine do not exist."""
    path = local_path(uri)
    return path is not None and not path.exists()


def delete_run(client: MlflowClient, run: Run) -> None:
    """Delete an MLflow run with its artifacts, if these are on this machine.

    The artifacts go first: after a kill in between, the run is still seen, and deleted again.
    """
    _delete_artifacts(run.info.artifact_uri, run.info.run_id)
    client.delete_run(run.info.run_id)


def delete_logged_model(client: MlflowClient, model: LoggedModel) -> None:
    """Delete a logged model with its artifacts, as `delete_run` deletes an MLflow run."""
    _delete_artifacts(model.artifact_location, model.model_id)
    client.delete_logged_model(model.model_id)


def _delete_artifacts(uri: str, owner: str) -> None:
    """Delete the folder ``owner`` with its artifacts, if they are on this machine."""
    path = local_path(uri)
    if path is not None and path.parent.name == owner:
        shutil.rmtree(path.parent, ignore_errors=True)

"""Fixtures for several test files: a toy results folder and an empty MLflow database."""

import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient
from toy_results import write_results

from ganvae.tracking.store import connected, find_store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without runs. Creating its schema takes seconds, so tests copy it."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    with connected(find_store(f"sqlite:///{path}")):
        return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a project, as working directory, with a results folder and no database."""
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    write_results(tmp_path)
    return tmp_path


@pytest.fixture
def root(bare: Path, empty_database: Path) -> Path:
    """A working directory with a results folder and an empty database."""
    shutil.copy(empty_database, bare / "mlflow.db")
    return bare


@pytest.fixture
def client(root: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{root / 'mlflow.db'}")

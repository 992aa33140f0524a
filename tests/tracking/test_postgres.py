"""Test that MLflow shows the same with PostgreSQL as with an SQLite file."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from mlflow import MlflowClient
from seen import by_name, counts
from servers import free_port, running
from toy_results import PROFILE, STEPS

from ganvae.tracking.models import download
from ganvae.tracking.sync import sync

pytest_plugins = ["toy_store"]


def shown(client: MlflowClient) -> dict[str, tuple[dict[str, float], dict[str, str], list[str]]]:
    """The content of each run by name, without parts that depend on the store."""
    runs = by_name(client)
    names = {run.info.run_id: name for name, run in runs.items()}
    return {
        name: (
            run.data.metrics,
            run.data.params,
            [names[run.data.tags[tag]] for tag in ("mlflow.parentRunId",) if tag in run.data.tags],
        )
        for name, run in runs.items()
    }


@pytest.mark.slow
def test_a_server_with_postgresql_shows_the_same_as_a_file(
    root: Path, client: MlflowClient, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = sync()
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--artifacts-destination", str(root / "served")]
    environment = {
        **os.environ,
        "MLFLOW_BACKEND_STORE_URI": postgres_url,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    with running(command, port, env=environment):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        assert counts(sync()) == counts(expected)
        assert sync().made == 0
        server = MlflowClient(address)
        assert shown(server) == shown(client)
        run_id = by_name(server)["vae-0"].info.run_id
        assert len(server.list_artifacts(run_id, "images")) == 2 * len(STEPS)
        aliases = server.get_registered_model(f"mnist-{PROFILE}").aliases
        assert aliases.keys() == {"champion-gan", "champion-vae"}
        weights = download(f"models:/mnist-{PROFILE}@champion-gan")
    assert weights.read_text() == "those of gan-0"


@pytest.mark.slow
def test_postgresql_without_a_server_shows_the_same(root: Path, postgres_url: str) -> None:
    assert sync(uri=postgres_url).made == sync().made
    report = sync(uri=postgres_url)
    assert report.made == 0
    assert urlsplit(postgres_url).path in str(report)

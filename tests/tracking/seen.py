"""Helpers for tests that read runs from MLflow."""

from mlflow import MlflowClient
from mlflow.entities import Run

from ganvae.tracking.sync import SyncReport


def all_runs(client: MlflowClient, experiment: str = "mnist") -> list[Run]:
    existing = client.get_experiment_by_name(experiment)
    return list(client.search_runs([existing.experiment_id])) if existing else []


def by_name(client: MlflowClient, experiment: str = "mnist") -> dict[str, Run]:
    recorded = all_runs(client, experiment)
    runs = {run.info.run_name: run for run in recorded}
    assert len(runs) == len(recorded), "a run was created twice"
    return runs


def counts(report: SyncReport) -> tuple[int, int, int]:
    return report.made, report.present, report.incomplete

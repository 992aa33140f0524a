"""What tests look at in MLflow."""

from mlflow import MlflowClient
from mlflow.entities import Run

from ganvae.tracking.sync import SyncReport


def all_runs(client: MlflowClient, experiment: str = "mnist") -> list[Run]:
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id])) if found else []


def by_name(client: MlflowClient, experiment: str = "mnist") -> dict[str, Run]:
    every = all_runs(client, experiment)
    runs = {run.info.run_name: run for run in every}
    assert len(runs) == len(every), "a run was made twice"
    return runs


def counts(report: SyncReport) -> tuple[int, int, int]:
    return report.made, report.present, report.incomplete

"""Log parameters and metrics in as few calls as MLflow allows.

Logging an equal value again changes nothing in MLflow.
"""

from collections.abc import Mapping

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

METRICS_PER_CALL = 1000  # MLflow's limits
PARAMS_PER_CALL = 100


def log_params(client: MlflowClient, run_id: str, params: Mapping[str, str]) -> None:
    """Log parameters, a mapping from name to value, to the MLflow run ``run_id``."""
    entities = [Param(name, value) for name, value in params.items()]
    for start in range(0, len(entities), PARAMS_PER_CALL):
        client.log_batch(run_id, params=entities[start : start + PARAMS_PER_CALL])


def log_metrics(client: MlflowClient, run_id: str, metrics: list[Metric]) -> None:
    """Log metrics, with their times and steps, to the MLflow run ``run_id``."""
    for start in range(0, len(metrics), METRICS_PER_CALL):
        client.log_batch(run_id, metrics=metrics[start : start + METRICS_PER_CALL])

"""Read the experiments and runs that MLflow already has."""

from collections import defaultdict
from collections.abc import Iterable

from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

from ganvae.tracking.names import CURRENT, KEY, LEVEL
from ganvae.tracking.store import Store

RUNS_PER_PAGE = 1000


def open_experiments(client: MlflowClient, store: Store, names: Iterable[str]) -> dict[str, str]:
    """Experiment ids by name. Missing experiments are created, and deleted ones restored."""
    ids = {}
    for name in sorted(names):
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            folder = (store.artifacts / name).as_uri() if store.artifacts else None
            ids[name] = client.create_experiment(name, artifact_location=folder)
            continue
        ids[name] = experiment.experiment_id
        if experiment.lifecycle_stage == "deleted":
            client.restore_experiment(experiment.experiment_id)
    return ids


def recorded_runs(client: MlflowClient, prefix: str = "") -> dict[str, list[Run]]:
    """All runs that have a key, finished or not, by key. The keys start with ``prefix``."""
    active = client.search_experiments(ViewType.ACTIVE_ONLY)
    experiments = [experiment.experiment_id for experiment in active]
    runs: dict[str, list[Run]] = defaultdict(list)
    token = None
    while True:
        page = client.search_runs(
            experiments,
            filter_string=f"tags.`{KEY}` LIKE '{prefix}%'",
            max_results=RUNS_PER_PAGE,
            page_token=token,
        )
        for run in page:
            runs[run.data.tags[KEY]].append(run)
        token = page.token
        if not token:
            return runs


def current_runs(client: MlflowClient) -> list[Run]:
    """The finished runs of seeds and variants that show the current results, newest first."""
    runs = [run for runs in recorded_runs(client).values() for run in runs]
    current = [run for run in runs if run.data.tags.get(CURRENT) == "true"]
    finished = [run for run in current if run.info.status == "FINISHED"]
    shown = [run for run in finished if run.data.tags.get(LEVEL) in ("run", "variant")]
    return sorted(shown, key=lambda run: -run.info.start_time)

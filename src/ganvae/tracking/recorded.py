"""Read the experiments and runs that MLflow already has."""

from collections import defaultdict
from collections.abc import Iterable

from mlflow import MlflowClient
from mlflow.entities import Experiment, Run, ViewType

from ganvae.tracking.names import CURRENT, EXPERIMENT, KEY, LEVEL
from ganvae.tracking.store import Store

RUNS_PER_PAGE = 1000


def open_experiments(client: MlflowClient, store: Store, names: Iterable[str]) -> dict[str, str]:
    """Return a mapping from experiment name to id.

    Missing experiments are created, and deleted experiments are restored. An experiment that a user
    has renamed is found by its tag.
    """
    ids = {}
    for name in sorted(names):
        experiment = _find_experiment(client, name)
        if experiment is None:
            folder = (store.artifacts / name).as_uri() if store.artifacts else None
            ids[name] = client.create_experiment(name, folder, {EXPERIMENT: name})
            continue
        ids[name] = experiment.experiment_id
        if experiment.lifecycle_stage == "deleted":
            client.restore_experiment(experiment.experiment_id)
        if experiment.tags.get(EXPERIMENT) != name:  # from an earlier version
            client.set_experiment_tag(experiment.experiment_id, EXPERIMENT, name)
    return ids


def _find_experiment(client: MlflowClient, name: str) -> Experiment | None:
    tagged = client.search_experiments(
        ViewType.ALL, filter_string=f"tags.`{EXPERIMENT}` = '{name}'"
    )
    return tagged[0] if tagged else client.get_experiment_by_name(name)


def recorded_runs(client: MlflowClient, prefix: str = "") -> dict[str, list[Run]]:
    """Return a mapping from key to all MLflow runs with this key, finished or not.

    Only keys that start with ``prefix`` are included.
    """
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
    """Return the finished MLflow runs that show current results, newest first.

    These are the runs of single seeds and of variants, without the runs of sweeps.
    """
    runs = [run for runs in recorded_runs(client).values() for run in runs]
    current = [run for run in runs if run.data.tags.get(CURRENT) == "true"]
    finished = [run for run in current if run.info.status == "FINISHED"]
    shown = [run for run in finished if run.data.tags.get(LEVEL) in ("run", "variant")]
    return sorted(shown, key=lambda run: -run.info.start_time)

"""Projecting `results/` into MLflow, as often as one likes."""

import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag, ViewType
from PIL import Image

from ganvae.tracking.runs import TrackedRun, read_runs
from ganvae.tracking.store import Store, checkout_root, connected, find_store

KEY = "ganvae.key"
DIGEST = "ganvae.digest"
CURRENT = "current"

METRICS_PER_CALL = 1000  # MLflow's own limits
PARAMS_PER_CALL = 100
RUNS_PER_PAGE = 1000


@dataclass(frozen=True)
class SyncReport:
    """What a sync did: runs ``made``, those ``present`` before, folders not complete yet."""

    store: Store
    made: int
    present: int
    incomplete: int

    def __str__(self) -> str:
        return (
            f"MLflow at {self.store}: {self.made} runs made, {self.present} already there, "
            f"{self.incomplete} left out (not evaluated, or not compared)"
        )


def sync(profile: str | None = None, uri: str | None = None) -> SyncReport:
    """Make MLflow show what `results/` has; a second call makes nothing.

    A run is known by the checksum of its results (tag ``ganvae.digest``), which is written last:
    what a killed sync left half-made is deleted and made anew. When a run was repeated with other
    results, the earlier one stays as history, its tag ``current`` set to ``false``.

    Args:
        profile: only this one; None takes every profile in `results/`.
        uri: the store; by default that of `find_store`.

    Raises:
        UserError: no such profile, or a results file that is not valid JSON.
        TrackingError: MLflow cannot be reached or written to.
    """
    root = checkout_root()
    runs, incomplete = read_runs(root, profile)
    store = find_store(uri)
    made = 0
    with connected(store) as client:
        experiments = _experiments(client, store, {run.dataset for run in runs})
        recorded = _recorded_runs(client)
        code = _code_tags(root)
        for run in runs:
            made += _project(client, run, experiments[run.dataset], recorded, code)
    return SyncReport(store, made, len(runs) - made, incomplete)


def current_runs(client: MlflowClient) -> list[Run]:
    """The finished runs that show the present results, the newest first."""
    runs = [run for runs in _recorded_runs(client).values() for run in runs]
    current = [run for run in runs if run.data.tags.get(CURRENT) == "true"]
    finished = [run for run in current if run.info.status == "FINISHED"]
    return sorted(finished, key=lambda run: -run.info.start_time)


def _experiments(client: MlflowClient, store: Store, names: Iterable[str]) -> dict[str, str]:
    """Experiment ids by name; missing ones are made and deleted ones taken back."""
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


def _recorded_runs(client: MlflowClient) -> dict[str, list[Run]]:
    """All runs that a sync has made, finished or not, by key."""
    experiments = [found.experiment_id for found in client.search_experiments(ViewType.ACTIVE_ONLY)]
    runs: dict[str, list[Run]] = defaultdict(list)
    token = None
    while True:
        page = client.search_runs(
            experiments,
            filter_string=f"tags.`{KEY}` LIKE '%'",
            max_results=RUNS_PER_PAGE,
            page_token=token,
        )
        for run in page:
            runs[run.data.tags[KEY]].append(run)
        token = page.token
        if not token:
            return runs


def _project(
    client: MlflowClient,
    tracked: TrackedRun,
    experiment: str,
    recorded: Mapping[str, list[Run]],
    code: Mapping[str, str],
) -> bool:
    """Make the run if it is not there; say whether it was made."""
    earlier = recorded.get(tracked.key, [])
    for run in earlier:
        if DIGEST not in run.data.tags:
            client.delete_run(run.info.run_id)
    complete = [run for run in earlier if DIGEST in run.data.tags]
    same = [run.info.run_id for run in complete if run.data.tags[DIGEST] == tracked.digest]
    current = same[0] if same else _make_run(client, tracked, experiment, code)
    for run in complete:
        value = "true" if run.info.run_id == current else "false"
        if run.data.tags.get(CURRENT) != value:
            client.set_tag(run.info.run_id, CURRENT, value)
    return not same


def _make_run(
    client: MlflowClient, tracked: TrackedRun, experiment: str, code: Mapping[str, str]
) -> str:
    """Make the run and return its id."""
    end = int(tracked.finished * 1000)
    run_id: str = client.create_run(
        experiment,
        start_time=end - int(tracked.seconds * 1000),
        tags={**tracked.tags, **code, KEY: tracked.key, CURRENT: "false"},
        run_name=tracked.name,
    ).info.run_id
    params = [Param(name, value) for name, value in tracked.params.items()]
    for start in range(0, len(params), PARAMS_PER_CALL):
        client.log_batch(run_id, params=params[start : start + PARAMS_PER_CALL])
    metrics = [Metric(point.name, point.value, end, point.step) for point in tracked.points]
    for start in range(0, len(metrics), METRICS_PER_CALL):
        client.log_batch(run_id, metrics=metrics[start : start + METRICS_PER_CALL])
    _log_pictures(client, run_id, tracked, end)
    status = "FINISHED" if tracked.record.status == "completed" else "FAILED"
    client.set_terminated(run_id, status, end)
    client.log_batch(run_id, tags=[RunTag(CURRENT, "true"), RunTag(DIGEST, tracked.digest)])
    return run_id


def _log_pictures(client: MlflowClient, run_id: str, tracked: TrackedRun, timestamp: int) -> None:
    """Sample grids by step, for the image charts, and the run's other pictures as artifacts.

    The latter stand at the top: the page that compares runs shows no artifact in a folder.
    """
    for step, path in sorted(tracked.progress.items()):
        with Image.open(path) as image:
            client.log_image(
                run_id, image, key="samples", step=step, timestamp=timestamp, synchronous=True
            )
    for path in tracked.pictures:
        client.log_artifact(run_id, str(path))


def _code_tags(root: Path) -> dict[str, str]:
    """The commit at the time of the sync, and whether tracked files differ from it."""
    try:
        commit = _git(root, "rev-parse", "HEAD")
        dirty = _git(root, "status", "--porcelain", "-uno") != ""
    except (OSError, subprocess.CalledProcessError):  # no git, or no commit yet
        return {}
    return {"mlflow.source.git.commit": commit, "git.dirty": "true" if dirty else "false"}


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()

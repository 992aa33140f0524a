"""Live runs: MLflow runs that show a training run before its results exist.

When the results exist, `adopt` finds the live run to which the results can be added.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Run
from PIL import Image

from ganvae.core.live import LiveRun
from ganvae.tracking.batches import log_metrics
from ganvae.tracking.names import CURRENT, DIGEST, IMAGES, KEY, LEVEL, LIVE, loss_metric
from ganvae.tracking.places import delete_run
from ganvae.tracking.tracked import Point, TrackedRun

# The small version of an image, which `MlflowClient.log_image` writes last.
LOGGED_IMAGE = re.compile(rf"{IMAGES}\+step\+(\d+)\+.*\+compressed\.webp")


def adopt(
    client: MlflowClient, tracked: TrackedRun, earlier: list[Run]
) -> tuple[str, frozenset[tuple[str, int]], frozenset[int]] | None:
    """Find the live run to which the results of ``tracked`` can be added.

    The results must contain every parameter and every metric value of the live run. Otherwise the
    live run shows another training run, for example one that crashed and was then repeated with
    other losses.

    Args:
        earlier: the MLflow runs with the key of ``tracked``.

    Returns:
        The live run's id, the names and steps of its metrics, and the steps of its sample grids.
        None if no live run fits.
    """
    values = {(point.name, point.step): point.value for point in tracked.points}
    for run in earlier:
        if not (is_live(run) and run.data.params.items() <= tracked.params.items()):
            continue
        points = list(_points(client, run))
        if all(values.get((point.name, point.step)) == point.value for point in points):
            logged = frozenset((point.name, point.step) for point in points)
            return run.info.run_id, logged, image_steps(client, run.info.run_id)
    return None


def is_live(run: Run) -> bool:
    """Return whether an MLflow run is live: its training results are not added yet."""
    tags = run.data.tags
    active = run.info.status == "RUNNING" and run.info.lifecycle_stage == "active"
    return active and LIVE in tags and DIGEST not in tags


def find_live(
    client: MlflowClient, experiment: str, live: LiveRun, last: float
) -> tuple[str | None, bool]:
    """Find the live run that shows a training run, and delete live runs that are out of date.

    Args:
        experiment: the id of the experiment.
        live: the training run.
        last: the Unix time of the training run's latest row of losses, in seconds.

    Returns:
        The live run's id or None, and whether MLflow already has the results of the training run.
    """
    runs = client.search_runs([experiment], f"tags.`{KEY}` = '{_key(live)}'")
    completed = any(
        run.data.tags.get(LIVE) == live.fingerprint or run.info.end_time >= last * 1000
        for run in runs
        if DIGEST in run.data.tags
    )
    run_id: str | None = None
    for run in filter(is_live, runs):
        if run.data.tags[LIVE] == live.fingerprint and not completed:
            run_id = run.info.run_id
        elif run.info.start_time < (last if completed else live.started) * 1000:
            delete_run(client, run)
    return run_id, completed


def make_live(client: MlflowClient, experiment: str, live: LiveRun) -> str:
    """Create a live run that shows a training run, and return the live run's id."""
    run = client.create_run(
        experiment,
        start_time=int(live.started * 1000),
        run_name=live.run,
        tags={
            KEY: _key(live),
            LIVE: live.fingerprint,
            LEVEL: "run",
            CURRENT: "live",
            "profile": live.profile,
            "variant": live.variant,
            "family": live.family,
            "seed": str(live.seed),
            "dataset": live.dataset,
            "dvc.stage": f"train@{live.run}",
        },
    )
    run_id: str = run.info.run_id
    return run_id


def log_rows(client: MlflowClient, run_id: str, rows: Iterable[Mapping[str, float]]) -> None:
    """Log rows of losses with the time of each row. Logging a row again changes nothing."""
    metrics = [
        Metric(loss_metric(name), value, int(row["time"] * 1000), int(row["step"]))
        for row in rows
        for name, value in row.items()
        if name not in ("time", "step", "epoch")
    ]
    log_metrics(client, run_id, metrics)


def log_grids(client: MlflowClient, run_id: str, grids: Mapping[int, Path]) -> None:
    """Log the sample grids that the MLflow run lacks. ``grids`` maps training steps to paths."""
    for step in sorted(grids.keys() - image_steps(client, run_id)):
        try:
            timestamp = int(grids[step].stat().st_mtime * 1000)
            with Image.open(grids[step]) as image:
                image.load()
        except OSError:  # the training has ended and deleted its grids
            continue
        client.log_image(
            run_id, image, key=IMAGES, step=step, timestamp=timestamp, synchronous=True
        )


def _key(live: LiveRun) -> str:
    return f"{live.profile}/{live.run}"


def image_steps(client: MlflowClient, run_id: str) -> frozenset[int]:
    """Return the steps of the sample grids that an MLflow run has."""
    paths = [file.path for file in client.list_artifacts(run_id, "images")]
    matches = [LOGGED_IMAGE.search(path) for path in paths]
    return frozenset(int(match[1]) for match in matches if match)


def _points(client: MlflowClient, run: Run) -> Iterator[Point]:
    for name in run.data.metrics:
        for metric in client.get_metric_history(run.info.run_id, name):
            yield Point(name, metric.value, metric.step)

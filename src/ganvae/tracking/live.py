"""Runs that MLflow shows while they train, and the check before results are added to them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Run
from PIL import Image

from ganvae.core.live import LiveRun
from ganvae.tracking.batches import log_metrics
from ganvae.tracking.names import CURRENT, DIGEST, IMAGES, KEY, LEVEL, LIVE, loss_metric
from ganvae.tracking.tracked import Point, TrackedRun

# The small version of an image, which `MlflowClient.log_image` writes last.
LOGGED_IMAGE = re.compile(rf"{IMAGES}\+step\+(\d+)\+.*\+compressed\.webp")


def adopt(
    client: MlflowClient, tracked: TrackedRun, earlier: list[Run]
) -> tuple[str, frozenset[tuple[str, int]], frozenset[int]] | None:
    """Find the live run that the results of ``tracked`` complete.

    Every parameter and every value of the live run must be in the results. Otherwise the live run
    shows another training, which was given up or continued differently after a crash.

    Args:
        earlier: the runs with the same key.

    Returns:
        The run's id, the metrics and steps that it has, and the steps of its sample grids; None if
        no live run fits.
    """
    values = {(point.name, point.step): point.value for point in tracked.points}
    for run in earlier:
        if not (is_live(run) and run.data.params.items() <= tracked.params.items()):
            continue
        points = list(_points(client, run))
        if all(values.get((point.name, point.step)) == point.value for point in points):
            logged = frozenset((point.name, point.step) for point in points)
            return run.info.run_id, logged, _image_steps(client, run.info.run_id)
    return None


def is_live(run: Run) -> bool:
    """Whether a run still waits for the results of its training."""
    tags = run.data.tags
    active = run.info.status == "RUNNING" and run.info.lifecycle_stage == "active"
    return active and LIVE in tags and DIGEST not in tags


def find_live(
    client: MlflowClient, experiment: str, live: LiveRun, last: float
) -> tuple[str | None, bool]:
    """Find the run that shows a training, and delete live runs that are out of date.

    Args:
        last: the time of the training's latest row.

    Returns:
        The run's id or None, and whether MLflow already has the training's results.
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
            client.delete_run(run.info.run_id)
    return run_id, completed


def make_live(client: MlflowClient, experiment: str, live: LiveRun) -> str:
    """Create the run that shows a training, and return its id."""
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
    """Log rows of losses with their own times. Logging a row again changes nothing."""
    metrics = [
        Metric(loss_metric(name), value, int(row["time"] * 1000), int(row["step"]))
        for row in rows
        for name, value in row.items()
        if name not in ("time", "step", "epoch")
    ]
    log_metrics(client, run_id, metrics)


def log_grids(client: MlflowClient, run_id: str, grids: Mapping[int, Path]) -> None:
    """Log the sample grids that the run does not have yet, by step."""
    for step in sorted(grids.keys() - _image_steps(client, run_id)):
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


def _image_steps(client: MlflowClient, run_id: str) -> frozenset[int]:
    paths = [file.path for file in client.list_artifacts(run_id, "images")]
    matches = [LOGGED_IMAGE.search(path) for path in paths]
    return frozenset(int(match[1]) for match in matches if match)


def _points(client: MlflowClient, run: Run) -> Iterator[Point]:
    for name in run.data.metrics:
        for metric in client.get_metric_history(run.info.run_id, name):
            yield Point(name, metric.value, metric.step)

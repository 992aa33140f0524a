"""Runs that MLflow shows while they train, and when the results may be added to them."""

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

    It has no other parameters than they, and no value that they do not have: a training that was
    given up, or went another way after a crash, is not the one that they are of.

    Args:
        earlier: runs of the same key.

    Returns:
        Its id, the metrics and steps that it has, and the steps of its sample grids; None if there
        is no such run.
    """
    values = {(point.name, point.step): point.value for point in tracked.points}
    for run in earlier:
        if not (is_live(run) and run.data.params.items() <= tracked.params.items()):
            continue
        points = list(_points(client, run))
        if all(values.get((point.name, point.step)) == point.value for point in points):
            there = frozenset((point.name, point.step) for point in points)
            return run.info.run_id, there, _image_steps(client, run.info.run_id)
    return None


def is_live(run: Run) -> bool:
    """Whether a run still waits for its training's results."""
    tags = run.data.tags
    active = run.info.status == "RUNNING" and run.info.lifecycle_stage == "active"
    return active and LIVE in tags and DIGEST not in tags


def find_live(
    client: MlflowClient, experiment: str, live: LiveRun, last: float
) -> tuple[str | None, bool]:
    """Look for the run that shows a training, and delete those that it or its results replace.

    Args:
        last: the time of the training's last row so far.

    Returns:
        The run's id, if there is one, and whether the training's results are there already.
    """
    runs = client.search_runs([experiment], f"tags.`{KEY}` = '{_key(live)}'")
    completed = any(
        run.data.tags.get(LIVE) == live.fingerprint or run.info.end_time >= last * 1000
        for run in runs
        if DIGEST in run.data.tags
    )
    found: str | None = None
    for run in filter(is_live, runs):
        if run.data.tags[LIVE] == live.fingerprint and not completed:
            found = run.info.run_id
        elif run.info.start_time < (last if completed else live.started) * 1000:
            client.delete_run(run.info.run_id)
    return found, completed


def make_live(client: MlflowClient, experiment: str, live: LiveRun) -> str:
    """Make the run that shows a training, and return its id."""
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
    """Log rows of losses with their own times: logged again they change nothing."""
    metrics = [
        Metric(loss_metric(name), value, int(row["time"] * 1000), int(row["step"]))
        for row in rows
        for name, value in row.items()
        if name not in ("time", "step", "epoch")
    ]
    log_metrics(client, run_id, metrics)


def log_grids(client: MlflowClient, run_id: str, grids: Mapping[int, Path]) -> None:
    """Log the sample grids that are not there yet, by step."""
    for step in sorted(grids.keys() - _image_steps(client, run_id)):
        try:
            timestamp = int(grids[step].stat().st_mtime * 1000)
            with Image.open(grids[step]) as image:
                image.load()
        except OSError:  # the training has ended and taken them along
            continue
        client.log_image(
            run_id, image, key=IMAGES, step=step, timestamp=timestamp, synchronous=True
        )


def _key(live: LiveRun) -> str:
    return f"{live.profile}/{live.run}"


def _image_steps(client: MlflowClient, run_id: str) -> frozenset[int]:
    paths = [file.path for file in client.list_artifacts(run_id, "images")]
    found = [LOGGED_IMAGE.search(path) for path in paths]
    return frozenset(int(match[1]) for match in found if match)


def _points(client: MlflowClient, run: Run) -> Iterator[Point]:
    for name in run.data.metrics:
        for metric in client.get_metric_history(run.info.run_id, name):
            yield Point(name, metric.value, metric.step)

"""Create or complete one MLflow run. A repeated call changes nothing."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Run, RunTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_PARENT_RUN_ID
from PIL import Image

from ganvae.core.files import sha256
from ganvae.tracking.batches import log_metrics, log_params
from ganvae.tracking.live import adopt, image_steps, is_live
from ganvae.tracking.names import CURRENT, DIGEST, IMAGES, KEY, PICTURES
from ganvae.tracking.places import delete_run, is_lost
from ganvae.tracking.tracked import TrackedRun, checksum

Streamed = tuple[str, frozenset[tuple[str, int]], frozenset[int]]
"""The id of a live run, the names and steps of its metrics, and the steps of its sample grids."""
NO_TAGS: Mapping[str, str] = {}


def project(
    client: MlflowClient,
    tracked: TrackedRun,
    *,
    experiment: str,
    earlier: list[Run],
    parent: str | None = None,
    tags: Mapping[str, str] = NO_TAGS,
) -> tuple[str, bool]:
    """Show ``tracked`` in MLflow: keep, complete or create an MLflow run.

    If MLflow has a run with the digest of ``tracked``, this run is kept. Otherwise the live run of
    the training run is completed. Without a live run, a new MLflow run is created. MLflow runs with
    other results get the tag ``current`` = ``false``, and unneeded incomplete runs are deleted.

    Args:
        experiment: the id of the MLflow experiment.
        earlier: all MLflow runs with the key of ``tracked``.
        parent: the id of the parent run in MLflow, or None.
        tags: further tags for a created or completed MLflow run.

    Returns:
        The id of the MLflow run, and whether this call created or completed the run.
    """
    complete = [run for run in earlier if DIGEST in run.data.tags]
    same = [run for run in complete if run.data.tags[DIGEST] == tracked.digest]
    streamed = adopt(client, tracked, earlier)
    if same:
        run_id = same[-1].info.run_id
        if parent and same[-1].data.tags.get(MLFLOW_PARENT_RUN_ID) != parent:
            client.set_tag(run_id, MLFLOW_PARENT_RUN_ID, parent)
        _restore_pictures(client, same[-1], tracked)
    else:
        nested = {MLFLOW_PARENT_RUN_ID: parent} if parent else {}
        run_id = _make(client, tracked, experiment, streamed, {**tracked.tags, **tags, **nested})
    for run in earlier:
        if run.info.run_id == run_id:
            _set_current(client, run, "true")
        elif run in complete and run not in same:
            _set_current(client, run, "false")
        elif not is_live(run) or (streamed and streamed[0] == run.info.run_id):
            # Left by a killed sync, created by two machines at once, or live but already complete.
            delete_run(client, run)
    return run_id, not same


def _set_current(client: MlflowClient, run: Run, value: str) -> None:
    if run.data.tags.get(CURRENT) != value:
        client.set_tag(run.info.run_id, CURRENT, value)


def _make(
    client: MlflowClient,
    tracked: TrackedRun,
    experiment: str,
    streamed: Streamed | None,
    tags: Mapping[str, str],
) -> str:
    """Create an MLflow run, or complete the live run, and return the id."""
    tags = {**tags, KEY: tracked.key, CURRENT: "false"}
    if streamed:
        run_id, points, images = streamed
        client.log_batch(run_id, tags=[RunTag(name, value) for name, value in tags.items()])
    else:
        run_id = client.create_run(
            experiment,
            start_time=milliseconds(tracked.started),
            tags=tags,
            run_name=tracked.name,
        ).info.run_id
        points, images = frozenset(), frozenset()
    log_params(client, run_id, tracked.params)
    log_metrics(client, run_id, _metrics(tracked, points))
    _log_inputs(client, run_id, tracked)
    _log_progress(client, run_id, tracked, images)
    _renew_pictures(client, run_id, tracked, None)
    client.set_terminated(run_id, tracked.status, milliseconds(tracked.finished))
    client.log_batch(run_id, tags=[RunTag(CURRENT, "true"), RunTag(DIGEST, tracked.digest)])
    return run_id


def _metrics(tracked: TrackedRun, logged: Collection[tuple[str, int]]) -> list[Metric]:
    """Return the points that are not in ``logged``, as MLflow metrics.

    The time of a point follows from its share of the time between start and end of the run.
    """
    seconds = tracked.finished - tracked.started
    return [
        Metric(
            point.name,
            point.value,
            milliseconds(tracked.started + point.share * seconds),
            point.step,
        )
        for point in tracked.points
        if (point.name, point.step) not in logged
    ]


def _log_inputs(client: MlflowClient, run_id: str, tracked: TrackedRun) -> None:
    inputs = [
        DatasetInput(
            Dataset(split.name, split.digest, "local", json.dumps({"uri": str(split.file)})),
            [InputTag(MLFLOW_DATASET_CONTEXT, split.context)],
        )
        for split in tracked.inputs
    ]
    if inputs:
        client.log_inputs(run_id, inputs)


def _log_progress(
    client: MlflowClient, run_id: str, tracked: TrackedRun, logged: Collection[int]
) -> None:
    """Log the sample grids whose steps are not in ``logged``, for MLflow's image charts."""
    for step, path in sorted(tracked.progress.items()):
        if step not in logged:
            with Image.open(path) as image:
                client.log_image(
                    run_id,
                    image,
                    key=IMAGES,
                    step=step,
                    timestamp=milliseconds(tracked.finished),
                    synchronous=True,
                )


def _restore_pictures(client: MlflowClient, run: Run, tracked: TrackedRun) -> None:
    """Log the sample grids and pictures that a complete MLflow run lacks.

    The tag with the checksum of the pictures is set last, and deleted first if the artifacts are
    lost. So a sync that is killed in between is finished by the next one.
    """
    run_id, shown = run.info.run_id, run.data.tags.get(PICTURES)
    if shown and is_lost(run.info.artifact_uri):
        client.delete_tag(run_id, PICTURES)
        shown = None
    if not shown and tracked.progress:
        _log_progress(client, run_id, tracked, image_steps(client, run_id))
    _renew_pictures(client, run_id, tracked, shown)


def _renew_pictures(
    client: MlflowClient, run_id: str, tracked: TrackedRun, shown: str | None
) -> None:
    """Log pictures as artifacts if the MLflow run has none, or if other pictures were drawn.

    The artifacts are not in a folder, because MLflow's page that compares runs shows no folders.

    Args:
        shown: the checksum of the pictures that the MLflow run has, or None.
    """
    pictures = checksum({path.name: sha256(path) for path in tracked.pictures})
    if not tracked.pictures or pictures == shown or (shown and not tracked.drawn):
        return
    with TemporaryDirectory() as folder:
        for path in tracked.pictures:
            client.log_artifact(run_id, str(_viewable(path, Path(folder))))
    client.set_tag(run_id, PICTURES, pictures)


def _viewable(path: Path, folder: Path) -> Path:
    """Return the path of a picture that MLflow can show.

    WebP and AVIF pictures are converted to PNG or GIF files in ``folder``.
    """
    if path.suffix not in (".webp", ".avif"):
        return path
    with Image.open(path) as image:
        film = getattr(image, "is_animated", False)
        shown = folder / f"{path.stem}.{'gif' if film else 'png'}"
        image.save(shown, save_all=film)
    return shown


def milliseconds(seconds: float) -> int:
    """Convert a Unix time from seconds to milliseconds, the unit of times in MLflow."""
    return round(seconds * 1000)

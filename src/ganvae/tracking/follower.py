"""Show training runs in MLflow during training. Later, `ganvae sync` adds the results.

The follower is a process that reads live logs. A live log is a file to which a training run appends
its losses.

python -m ganvae.tracking.follower PARENT    # ends when the process with the id PARENT ends
"""

import os
import sys
import time
from pathlib import Path

from mlflow import MlflowClient

from ganvae.core.live import FOLDER, LiveRun, read_live
from ganvae.core.paths import checkout_root
from ganvae.tracking.batches import log_params
from ganvae.tracking.live import find_live, is_live, log_grids, log_rows, make_live
from ganvae.tracking.recorded import open_experiments
from ganvae.tracking.store import LOCK_SECONDS, Store, TrackingError, connected, find_store
from ganvae.tracking.tracked import as_params

SECONDS = 10.0


def follow(root: Path, store: Store, parent: int | None = None) -> None:
    """Log the training runs under ``root`` to ``store``, every ten seconds, until interrupted.

    All permanent state is in MLflow. So a killed follower can be started again, and several
    followers log each value once. If the store cannot be reached, the follower prints one warning
    and logs the missing values later.

    Args:
        root: the folder that holds ``.state``.
        parent: the id of the parent process. The follower ends when the parent process has ended.
            None to follow until interrupted.
    """
    follower = Follower(root, store)
    while parent is None or os.getppid() == parent:
        follower.step()
        time.sleep(SECONDS)


class Follower:
    """A reader of all live logs that logs new rows of losses and new sample grids to MLflow."""

    def __init__(self, root: Path, store: Store) -> None:
        self._root = root
        self._store = store
        self._started = time.time()
        self._streams: dict[Path, _Stream] = {}
        self._warned = False

    def step(self) -> None:
        """Log all rows and sample grids that are new since the last call of this method."""
        for path in (self._root / FOLDER).glob("*/*.jsonl"):
            if path not in self._streams:
                self._streams[path] = _Stream(path, self._root, self._started)
        news = [stream for stream in self._streams.values() if stream.has_news()]
        if not news:
            return
        try:
            with connected(self._store, LOCK_SECONDS) as client:
                for stream in news:
                    stream.project(client, self._store)
            self._warned = False
        except TrackingError as error:
            if not self._warned:
                warning = f"warning: MLflow does not show the losses yet. {error}"
                print(warning, file=sys.stderr, flush=True)
            self._warned = True


class _Stream:
    """One live log, the position up to which the log was read, and the log's MLflow run.

    ``since`` is the Unix time at which the follower started. If a training run ended before this
    time and has no MLflow run, the follower creates none. `ganvae sync` creates the MLflow run.
    """

    def __init__(self, path: Path, root: Path, since: float) -> None:
        self._path = path
        self._root = root
        self._since = since
        self._live: LiveRun | None = None
        self._end = 0
        self._run_id: str | None = None
        self._seen: tuple[object, ...] = ()

    def has_news(self) -> bool:
        """Return whether the live log or the sample grids have changed since the last `project`."""
        return self._state() != self._seen

    def project(self, client: MlflowClient, store: Store) -> None:
        """Log new rows and sample grids, and create the MLflow run if necessary.

        A file that is not a live log is skipped. If a call fails, the next call logs all rows and
        sample grids again.
        """
        run_id, self._run_id = self._run_id, None
        known = self._live if run_id and is_live(client.get_run(run_id)) else None
        size = self._size()
        live, rows, end = read_live(self._path, known, self._end)
        grids = self._grids(live)
        if live and live != known:
            run_id = self._find(client, store, live, rows)
        if live and run_id:
            log_rows(client, run_id, rows)
            log_grids(client, run_id, grids)
        self._live, self._end, self._run_id = live, end, run_id
        self._seen = (size, grids.keys())

    def _find(
        self, client: MlflowClient, store: Store, live: LiveRun, rows: list[dict[str, float]]
    ) -> str | None:
        """Find or create the MLflow run that shows a training run, and return its id.

        None if MLflow has the results already, or if the training run ended before the follower
        started.
        """
        experiment = open_experiments(client, store, {live.dataset})[live.dataset]
        last = rows[-1]["time"] if rows else live.started
        run_id, completed = find_live(client, experiment, live, last)
        training = (self._root / live.samples).is_dir() or last >= self._since
        if run_id is None and training and not completed:
            run_id = make_live(client, experiment, live)
        if run_id:
            log_params(client, run_id, as_params(live.config))
        return run_id

    def _state(self) -> tuple[object, ...]:
        return self._size(), self._grids(self._live).keys()

    def _size(self) -> tuple[int, int] | None:
        """Return the log's size in bytes and modification time in ns; None if there is no log."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns

    def _grids(self, live: LiveRun | None) -> dict[int, Path]:
        """Return a mapping from training step to the sample grid's path; empty after training."""
        folder = self._root / live.samples if live else None
        paths = folder.glob("step-*.png") if folder else ()
        return {int(path.stem.split("-")[1]): path for path in paths}


if __name__ == "__main__":
    follow(checkout_root(), find_store(), int(sys.argv[1]))

"""Show results in MLflow while they arrive. Without MLflow, the work continues."""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ganvae.core.paths import checkout_root
from ganvae.scores.matches import MATCHES, match_path, read_match_record
from ganvae.scores.studies import SWEEPS, StudyRecord

if TYPE_CHECKING:  # importing it takes seconds
    from mlflow import MlflowClient

    from ganvae.tracking.store import Store


class Mirror:
    """Shows studies and matches in MLflow. After its first failure, it warns and shows nothing.

    Nothing is shown if MLflow is not installed. `ganvae sync` shows the results later.
    """

    def __init__(self, work: str) -> None:
        """Name the work that continues if MLflow cannot be reached: a plural noun."""
        self._work = work
        self._reached = find_spec("mlflow") is not None

    def study(self, record: StudyRecord) -> None:
        """Show the trials of a study that are new."""

        def project(client: "MlflowClient", store: "Store") -> None:
            from ganvae.tracking.studies import project_study

            project_study(client, store, record, checkout_root() / SWEEPS / record.study)

        self._show(project)

    def match(self, name: str) -> None:
        """Show the training runs of a match that are new. The match's folder has their records."""

        def project(client: "MlflowClient", store: "Store") -> None:
            from ganvae.tracking.matches import project_match, read_match_runs

            root = checkout_root()
            record = read_match_record(root / match_path(name))
            project_match(client, store, record, read_match_runs(root, name), root / MATCHES / name)

        self._show(project)

    def _show(self, project: "Callable[[MlflowClient, Store], None]") -> None:
        if not self._reached:
            return
        from ganvae.tracking.store import LOCK_SECONDS, TrackingError, connected, find_store

        try:
            store = find_store()
            with connected(store, LOCK_SECONDS) as client:
                project(client, store)
        except TrackingError as error:
            self._reached = False
            warning = f"warning: the {self._work} continue without MLflow. {error}"
            print(warning, file=sys.stderr, flush=True)

"""Show a study in MLflow while its workers run trials."""

import sys
from collections.abc import Callable
from importlib.util import find_spec

from optuna import Study
from optuna.trial import FrozenTrial

from ganvae.scores.studies import SWEEPS
from ganvae.sweeps.records import record_of
from ganvae.sweeps.study import Settings


def into_mlflow(settings: Settings) -> Callable[[Study, FrozenTrial], None]:
    """Return a callback for Optuna that shows the study in MLflow after each trial.

    The callback does nothing if MLflow is not installed or cannot be reached. In this case, the
    storage still has all trials. `ganvae sync` shows the study in MLflow after `ganvae sweep
    report`.
    """
    reached = find_spec("mlflow") is not None

    def after_trial(study: Study, trial: FrozenTrial) -> None:
        nonlocal reached
        if not reached:
            return
        from ganvae.core.paths import checkout_root
        from ganvae.tracking.store import TrackingError, connected, find_store
        from ganvae.tracking.studies import project_study

        record = record_of(study, settings)
        try:
            store = find_store()
            with connected(store) as client:
                project_study(client, store, record, checkout_root() / SWEEPS / record.study)
        except TrackingError as error:
            reached = False
            warning = f"warning: the trials continue without MLflow. {error}"
            print(warning, file=sys.stderr, flush=True)

    return after_trial

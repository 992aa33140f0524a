"""Show a study in MLflow while its workers run trials."""

from collections.abc import Callable

from optuna import Study
from optuna.trial import FrozenTrial

from ganvae.sweeps.records import record_of
from ganvae.sweeps.study import Settings
from ganvae.tracking.mirror import Mirror


def into_mlflow(settings: Settings) -> Callable[[Study, FrozenTrial], None]:
    """Return a callback for Optuna that shows the study in MLflow after each trial.

    If MLflow cannot be reached, the storage still has all trials. `ganvae sync` shows the study in
    MLflow after `ganvae sweep report`.
    """
    mirror = Mirror("trials")

    def after_trial(study: Study, trial: FrozenTrial) -> None:
        mirror.study(record_of(study, settings))

    return after_trial

"""Show hyperparameter sweeps in MLflow: one MLflow run per study, one nested run per trial."""

import time
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Run

from ganvae.core.files import sha256
from ganvae.scores.studies import StudyRecord, TrialRecord
from ganvae.tracking.batches import log_metrics
from ganvae.tracking.names import CURVE, LEVEL, SHOWN, VALIDATION, metric
from ganvae.tracking.places import is_lost
from ganvae.tracking.projection import milliseconds, project
from ganvae.tracking.recorded import open_experiments, recorded_runs
from ganvae.tracking.store import Store
from ganvae.tracking.tracked import Point, Status, TrackedRun, as_params, checksum, score_points

SCORED = {"fid_judge": VALIDATION, "train_seconds": "train_seconds"}
"""A mapping from objective to score name. Trials are scored on the validation split."""

STATUS: dict[str, Status] = {"completed": "FINISHED", "pruned": "KILLED", "lost": "KILLED"}


def project_study(
    client: MlflowClient, store: Store, record: StudyRecord, folder: Path
) -> tuple[int, int]:
    """Show a study in MLflow, in the experiment ``sweeps-<dataset>``.

    Only new trials are written, so this function can be called after every trial.

    Args:
        folder: the folder of the study's record. PNG pictures in this folder become artifacts.

    Returns:
        The number of created MLflow runs, and the number of MLflow runs that existed before.
    """
    study = _study_run(record)
    experiment = open_experiments(client, store, [study.experiment])[study.experiment]
    recorded = recorded_runs(client, prefix=study.key)

    def show(run: TrackedRun, parent: str | None) -> tuple[str, bool]:
        earlier = recorded.get(run.key, [])
        return project(client, run, experiment=experiment, earlier=earlier, parent=parent)

    study_id, is_new_study = show(study, None)
    trials = [show(_trial_run(record, trial, study), study_id) for trial in record.trials]
    _bring_up_to_date(client, study_id, recorded.get(study.key, []), record, folder)
    new = is_new_study + sum(is_new for _, is_new in trials)
    return new, 1 + len(trials) - new


def _study_run(record: StudyRecord) -> TrackedRun:
    """Make the study's parent run, without results. `_bring_up_to_date` logs the results later."""
    definition = record.model_dump(mode="json", exclude={"trials"})
    now = time.time()
    return TrackedRun(
        key=f"sweeps/{record.study}",
        name=record.study,
        experiment=f"sweeps-{record.dataset}",
        digest=checksum(definition),
        started=min((trial.started for trial in record.trials), default=now),
        finished=max((trial.finished for trial in record.trials), default=now),
        status="FINISHED",
        tags={
            **_tags(record, "study"),
            "space": record.space,
            "train_sha256": record.train_sha256,
            "validation_sha256": record.validation_sha256,
            "judge_sha256": record.judge_sha256,
        },
        points=[],
        params=as_params(
            {
                "objectives": record.objectives,
                "seeds": record.seeds,
                "base": record.base,
                "ranges": record.parameters,
            }
        ),
    )


def _trial_run(record: StudyRecord, trial: TrialRecord, study: TrackedRun) -> TrackedRun:
    values = dict(zip(record.objectives, trial.values, strict=False))
    numbers = {SCORED[objective]: value for objective, value in values.items()}
    return TrackedRun(
        key=f"{study.key}/{trial.number}",
        name=f"trial-{trial.number}",
        experiment=study.experiment,
        digest=checksum(study.digest, trial.model_dump(mode="json")),
        started=trial.started,
        finished=trial.finished,
        status=STATUS.get(trial.status, "FAILED"),
        tags={
            **_tags(record, "trial"),
            "status": trial.status,
            **({"reason": trial.reason} if trial.reason else {}),
            **({"preset": "true"} if trial.current else {}),
        },
        points=[
            *score_points({"train_seconds": trial.seconds or None} | numbers),
            *(Point(CURVE, fid, share, share / 1000) for share, fid in trial.curve.items()),
        ],
        params=as_params(trial.parameters),
    )


def _tags(record: StudyRecord, level: str) -> dict[str, str]:
    return {
        LEVEL: level,
        "study": record.study,
        "profile": record.profile,
        "variant": record.variant,
        "family": record.family,
        "dataset": record.dataset,
    }


def _bring_up_to_date(
    client: MlflowClient, run_id: str, earlier: list[Run], record: StudyRecord, folder: Path
) -> None:
    """Log the best value after each trial, and the study's pictures, to the study's MLflow run.

    If the pictures are lost, `SHOWN` is deleted first. So a killed sync is finished by the next.
    """
    pictures = sorted(folder.glob("*.png"))
    trials = [trial.model_dump(mode="json") for trial in record.trials]
    shown = checksum(trials, {path.name: sha256(path) for path in pictures})
    for run in earlier:
        if run.info.run_id == run_id and run.data.tags.get(SHOWN) == shown:
            if not (pictures and is_lost(run.info.artifact_uri)):
                return
            client.delete_tag(run_id, SHOWN)
    log_metrics(client, run_id, _best_so_far(record))
    for path in pictures:
        client.log_artifact(run_id, str(path))
    if record.trials:
        finished = max(trial.finished for trial in record.trials)
        client.set_terminated(run_id, "FINISHED", milliseconds(finished))
    client.set_tag(run_id, SHOWN, shown)


def _best_so_far(record: StudyRecord) -> list[Metric]:
    """Return the lowest value of the first objective after each scored trial, as MLflow metrics.

    The step of a metric is the number of trials that were scored by then.
    """
    name = metric(SCORED[record.objectives[0]])
    metrics: list[Metric] = []
    for trial in sorted(record.scored, key=lambda trial: trial.finished):
        best = min([trial.values[0], *(metric.value for metric in metrics[-1:])])
        step = len(metrics) + 1
        metrics.append(Metric(name, best, milliseconds(trial.finished), step))
    return metrics

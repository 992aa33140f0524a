"""Show matches in MLflow: one MLflow run per match, one nested run per training run.

GANs and VAEs have the same metrics. Family, system and seed are parameters as well as tags, since
MLflow's parallel coordinates show parameters and metrics only.
"""

from collections.abc import Sequence
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run

from ganvae.scores.matches import (
    MATCHES,
    STAGES,
    MatchRecord,
    TrainedRecord,
    read_matches,
    read_stage,
)
from ganvae.tracking.links import write_match_notes
from ganvae.tracking.names import CPU_COSTS, CURRENT, DIGEST, KEY, LEVEL, MATCH, VALIDATION
from ganvae.tracking.projection import milliseconds, project
from ganvae.tracking.recorded import open_experiments, recorded_runs
from ganvae.tracking.store import Store
from ganvae.tracking.tracked import TrackedRun, as_params, checksum, score_points

PREFIX = "matches/"
"""The beginning of the keys of all MLflow runs of matches."""


def sync_matches(
    client: MlflowClient, store: Store, root: Path, profile: str | None = None
) -> tuple[int, int]:
    """Show all matches under ``root`` in MLflow, and write notes with links to them.

    MLflow runs whose records are gone get the tag ``current`` = ``false``.

    Args:
        profile: the profile whose matches are shown; None for all matches.

    Returns:
        The number of created MLflow runs, and the number of MLflow runs that existed before.
    """
    made = present = 0
    keys: set[str] = set()
    for record in read_matches(root, profile):
        trained = read_match_runs(root, record.name)
        new, old = project_match(client, store, record, trained, root / MATCHES / record.name)
        made, present = made + new, present + old
        keys |= {match_key(record), *(_trained_key(record, run) for run in trained)}
    runs = _runs(client)
    gone = [run for run in runs if _belongs_to(run, profile) and run.data.tags[KEY] not in keys]
    for run in gone:
        client.set_tag(run.info.run_id, CURRENT, "false")
    write_match_notes(client, [run for run in runs if run not in gone])
    return made, present


def _runs(client: MlflowClient) -> list[Run]:
    """Return the complete MLflow runs of matches that show current results."""
    runs = [run for same in recorded_runs(client, PREFIX).values() for run in same]
    wanted = {CURRENT: "true"}
    return [
        run for run in runs if DIGEST in run.data.tags and wanted.items() <= run.data.tags.items()
    ]


def read_match_runs(root: Path, match: str) -> list[TrainedRecord]:
    """Read the records of all training runs of a match, in the order of its stages."""
    return [record for stage in STAGES for record in read_stage(root, match, stage)]


def project_match(
    client: MlflowClient,
    store: Store,
    record: MatchRecord,
    trained: Sequence[TrainedRecord],
    folder: Path,
) -> tuple[int, int]:
    """Show a match in MLflow, in the experiment ``matches-<dataset>``.

    Only new training runs are written, so this function can be called after every training run.

    Args:
        folder: the folder of the match's record. Its report and its PNG pictures become artifacts.

    Returns:
        The number of created MLflow runs, and the number of MLflow runs that existed before.
    """
    match = _match_run(record, trained, folder)
    experiment = open_experiments(client, store, [match.experiment])[match.experiment]
    recorded = recorded_runs(client, prefix=match.key)

    def show(run: TrackedRun, parent: str | None) -> tuple[str, bool]:
        earlier = recorded.get(run.key, [])
        return project(client, run, experiment=experiment, earlier=earlier, parent=parent)

    match_id, is_new_match = show(match, None)
    shown = [show(_trained_run(record, run, match), match_id) for run in trained]
    end = milliseconds(match.finished)
    if any(
        run.info.run_id == match_id and run.info.end_time != end
        for run in recorded.get(match.key, [])
    ):
        client.set_terminated(match_id, match.status, end)
    new = is_new_match + sum(is_new for _, is_new in shown)
    return new, 1 + len(shown) - new


def match_key(record: MatchRecord) -> str:
    """Return the key of a match's MLflow run."""
    return f"{PREFIX}{record.name}"


def _trained_key(record: MatchRecord, run: TrainedRecord) -> str:
    return f"{match_key(record)}/{run.stage}/{_name(record, run)}"


def _name(record: MatchRecord, run: TrainedRecord) -> str:
    return run.path(record.name).stem


def _match_run(record: MatchRecord, trained: Sequence[TrainedRecord], folder: Path) -> TrackedRun:
    return TrackedRun(
        key=match_key(record),
        name=record.name,
        experiment=f"matches-{record.dataset}",
        digest=checksum(record.model_dump(mode="json")),
        started=min((run.started for run in trained), default=0.0),
        finished=max((_finished(run) for run in trained), default=0.0),
        status="FINISHED",
        tags={
            **_tags(record, "match"),
            "match_sha256": record.match_sha256,
            "train_sha256": record.train_sha256,
            "validation_sha256": record.validation_sha256,
            "judge_sha256": record.judge_sha256,
        },
        points=[],
        params=as_params(
            record.content | {"switches": record.switches, "noise_fid": record.noise_fid}
        ),
        pictures=sorted([*folder.glob("*.png"), *folder.glob("report.md")]),
        drawn=True,
    )


def _trained_run(record: MatchRecord, run: TrainedRecord, match: TrackedRun) -> TrackedRun:
    side = {"family": run.family, "system": run.system, "seed": str(run.seed)}
    return TrackedRun(
        key=_trained_key(record, run),
        name=_name(record, run),
        experiment=match.experiment,
        digest=checksum(match.digest, run.model_dump(mode="json")),
        started=run.started,
        finished=_finished(run),
        status="FINISHED" if run.status == "completed" else "FAILED",
        tags={
            **_tags(record, "trial"),
            **side,
            "stage": run.stage,
            "trial": str(run.trial),
            "status": run.status,
            **({"reason": run.reason} if run.reason else {}),
            **({"off_budget": "true"} if run.flagged else {}),
            "processor": run.processor,
            "precision": run.precision,
        },
        points=score_points(
            {cost: getattr(run, cost) for cost in CPU_COSTS}
            | {VALIDATION: run.fid_judge, "steps": run.steps}
        ),
        params=as_params(run.parameters) | side,
    )


def _finished(run: TrainedRecord) -> float:
    """When a training run ended, in seconds. The CPU-seconds stand for its duration."""
    return run.started + run.cpu_seconds


def _tags(record: MatchRecord, level: str) -> dict[str, str]:
    return {
        LEVEL: level,
        MATCH: record.name,
        "profile": record.profile,
        "dataset": record.dataset,
    }


def _belongs_to(run: Run, profile: str | None) -> bool:
    """Return whether an MLflow run shows a match of the profile, or of any profile if None."""
    tags = run.data.tags
    return MATCH in tags and profile in (None, tags["profile"])

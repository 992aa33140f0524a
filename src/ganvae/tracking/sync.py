"""Projecting `results/` into MLflow, as often as one likes."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient

from ganvae.core.paths import checkout_root
from ganvae.scores.studies import SWEEPS, read_studies
from ganvae.tracking.champions import register_champions
from ganvae.tracking.links import write_notes
from ganvae.tracking.means import model_runs
from ganvae.tracking.names import DIGEST
from ganvae.tracking.projection import project
from ganvae.tracking.recorded import current_runs, open_experiments, recorded_runs
from ganvae.tracking.runs import read_runs
from ganvae.tracking.store import Store, connected, find_store
from ganvae.tracking.studies import project_study
from ganvae.tracking.tracked import SeedRun


@dataclass(frozen=True)
class SyncReport:
    """What a sync did: runs ``made``, those ``present`` before, folders not complete yet.

    Models, studies and trials have runs as well. ``remarks`` say what could not be done.
    """

    store: Store
    made: int
    present: int
    incomplete: int
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        summary = (
            f"MLflow at {self.store}: {self.made} runs made, {self.present} already there, "
            f"{self.incomplete} left out (not evaluated, or not compared)"
        )
        return "\n".join([summary, *self.remarks])


def sync(profile: str | None = None, uri: str | None = None) -> SyncReport:
    """Make MLflow show what `results/` has; a second call makes nothing.

    A run is known by the checksum of its results (tag ``ganvae.digest``), which is written last:
    what a killed sync left half-made is deleted and made anew. When a run was repeated with other
    results, the earlier one stays as history, its tag ``current`` set to ``false``. A run that
    was streamed while it trained is completed. Each model has a run with the means of its seeds,
    which theirs are nested in; the best GAN and VAE on the validation split are registered.

    Args:
        profile: only this one; None takes every profile in `results/`.
        uri: the store; by default that of `find_store`.

    Raises:
        UserError: no such profile, or a results file that is not valid JSON.
        TrackingError: MLflow cannot be reached or written to.
    """
    root = checkout_root()
    runs, incomplete = read_runs(root, profile)
    studies = read_studies(root, profile)
    store = find_store(uri)
    with connected(store) as client:
        made, present, remarks = _project_runs(client, store, runs, root)
        for study in studies:
            new, old = project_study(client, store, study, root / SWEEPS / study.study)
            made, present = made + new, present + old
    return SyncReport(store, made, present, incomplete, tuple(remarks))


def _project_runs(
    client: MlflowClient, store: Store, runs: list[SeedRun], root: Path
) -> tuple[int, int, list[str]]:
    """Make what is missing of models and runs; return how many, how many were there, remarks."""
    experiments = open_experiments(client, store, {run.experiment for run in runs})
    recorded = recorded_runs(client)
    known = {run.data.tags.get(DIGEST, "") for same in recorded.values() for run in same}
    models, remarks = model_runs(runs, known)
    ids: dict[str, str] = {}
    code = _code_tags(root)
    made = 0
    for run in [*models, *runs]:  # the outer ones first
        ids[run.key], is_new = project(
            client,
            run,
            experiment=experiments[run.experiment],
            earlier=recorded.get(run.key, []),
            parent=ids.get(run.parent or ""),
            tags=code,
        )
        made += is_new
    remarks += register_champions(client, runs, ids, experiments, root)
    if made:
        write_notes(client, current_runs(client))
    return made, len(models) + len(runs) - made, remarks


def _code_tags(root: Path) -> dict[str, str]:
    """The commit at the time of the sync, and whether tracked files differ from it."""
    try:
        commit = _git(root, "rev-parse", "HEAD")
        dirty = _git(root, "status", "--porcelain", "-uno") != ""
    except (OSError, subprocess.CalledProcessError):  # no git, or no commit yet
        return {}
    return {"mlflow.source.git.commit": commit, "git.dirty": "true" if dirty else "false"}


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()

"""Sync: show `results/` in MLflow. A repeated sync adds only new results."""

import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run

from ganvae.core.paths import project_root
from ganvae.scores.studies import SWEEPS, read_studies
from ganvae.tracking.champions import register_champions
from ganvae.tracking.links import write_notes
from ganvae.tracking.matches import sync_matches
from ganvae.tracking.means import model_runs
from ganvae.tracking.names import CURRENT, DIGEST, LEVEL
from ganvae.tracking.projection import project
from ganvae.tracking.recorded import current_runs, open_experiments, recorded_runs
from ganvae.tracking.runs import profiles_with_results, read_runs
from ganvae.tracking.store import Store, connected, find_store
from ganvae.tracking.studies import project_study
from ganvae.tracking.tracked import SeedRun


@dataclass(frozen=True)
class SyncReport:
    """The result of a sync.

    Attributes:
        made: the number of MLflow runs that the sync created or completed. Training runs,
            baselines, variants, studies, trials and matches each have an MLflow run.
        present: the number of MLflow runs that existed before the sync.
        incomplete: the number of training runs that the sync skipped (`read_runs`).
        remarks: texts for the user about steps that the sync could not do.
    """

    store: Store
    made: int
    present: int
    incomplete: int
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        summary = (
            f"MLflow at {self.store}: {self.made} runs created, {self.present} already present, "
            f"{self.incomplete} skipped (not evaluated, or not compared)"
        )
        return "\n".join([summary, *self.remarks])


def sync(profile: str | None = None, uri: str | None = None) -> SyncReport:
    """Show `results/` in MLflow. A second call creates nothing.

    Each training run and baseline gets one MLflow run. The tag ``ganvae.digest``, the checksum of
    the results, identifies the MLflow run. This tag is written last, so the next sync can find and
    replace MLflow runs that a killed sync left incomplete. If a training run was repeated with
    other results, its earlier MLflow run stays, with the tag ``current`` = ``false``. A live run,
    created during training, is completed.

    Each variant gets a parent run with the means over its seeds. The MLflow runs of the seeds are
    nested in the parent run. The best GAN and VAE on the validation split are registered as
    champions.

    Args:
        profile: the profile to sync; None for every profile in `results/`.
        uri: the store; by default the result of `find_store`.

    Raises:
        UserError: the working directory is not in a project or a clone, the profile has no
            results, or a results file is not valid JSON.
        TrackingError: MLflow cannot be reached or written to.
    """
    root = project_root()
    profiles_with_results(root, profile)  # refuses an unknown name before anything is written
    store = find_store(uri)
    with connected(store) as client:
        runs, incomplete = read_runs(root, profile)  # now, since this sync may have waited
        studies = read_studies(root, profile)
        made, present, remarks = _project_runs(client, store, runs, root)
        for study in studies:
            new, old = project_study(client, store, study, root / SWEEPS / study.study)
            made, present = made + new, present + old
        new, old = sync_matches(client, store, root, profile)
        made, present = made + new, present + old
    return SyncReport(store, made, present, incomplete, tuple(remarks))


def _project_runs(
    client: MlflowClient, store: Store, runs: list[SeedRun], root: Path
) -> tuple[int, int, list[str]]:
    """Create the missing MLflow runs of variants and seeds, and register champions.

    Returns:
        The number of created or completed MLflow runs, the number of MLflow runs that existed
        before, and remarks for the user.
    """
    experiments = open_experiments(client, store, {run.experiment for run in runs})
    recorded = recorded_runs(client)
    known = {run.data.tags.get(DIGEST, "") for same in recorded.values() for run in same}
    variants, remarks = model_runs(runs, known)
    ids: dict[str, str] = {}
    code = _code_tags(root)
    made = 0
    for run in [*variants, *runs]:  # parents before their nested runs
        ids[run.key], is_new = project(
            client,
            run,
            experiment=experiments[run.experiment],
            earlier=recorded.get(run.key, []),
            parent=ids.get(run.parent or ""),
            tags=code,
        )
        made += is_new
    _retire(client, recorded, {run.profile for run in runs}, ids.keys())
    remarks += register_champions(client, runs, ids, experiments, root)
    write_notes(client, current_runs(client))  # a killed sync may have left old notes
    return made, len(variants) + len(runs) - made, remarks


def _retire(
    client: MlflowClient,
    recorded: Mapping[str, list[Run]],
    profiles: Collection[str],
    keys: Collection[str],
) -> None:
    """Mark MLflow runs of these profiles as not current if `results/` has them no more.

    For example, a training run was taken out of params.yaml.
    """
    for key, runs in recorded.items():
        for run in runs if key.split("/")[0] in profiles and key not in keys else ():
            of_results = run.data.tags.get(LEVEL) in ("run", "variant")
            if of_results and run.data.tags.get(CURRENT) == "true":
                client.set_tag(run.info.run_id, CURRENT, "false")


def _code_tags(root: Path) -> dict[str, str]:
    """Return tags with the current git commit, and whether tracked files differ from this commit.

    The tags are empty without git or without a commit.
    """
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

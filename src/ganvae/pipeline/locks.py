"""Whether committed locks are those of the code, and frozen results those of their own record."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ganvae.config import Params, load_params, read_yaml
from ganvae.core.errors import UserError
from ganvae.core.files import read_json
from ganvae.core.paths import ProfilePaths
from ganvae.core.tokens import FOLDER
from ganvae.pipeline.dvc import run_dvc

RUNNING = "Running stage"


def check_locks(root: Path) -> Iterator[str]:
    """Refresh the fingerprints of behaviour, then check every committed lock; yields a line each.

    A lock is checked against code, parameters and data, that of a frozen profile against its
    committed results alone.

    Raises:
        UserError: a lock is stale, or a frozen result has been changed.
    """
    locks = _committed_locks(root)
    run_dvc("repro", str(FOLDER / "dvc.yaml"), root=root)
    for lock in locks:
        pipeline = lock.with_name("dvc.yaml")
        if params := frozen_params(root / pipeline):
            check_frozen(root, pipeline, params)
            yield f"{lock}: frozen, and as it was"
        else:
            plan = run_dvc("repro", "--dry", "--allow-missing", str(pipeline), root=root)
            stale = [line for line in plan.splitlines() if line.startswith(RUNNING)]
            if stale:
                raise UserError(
                    "\n".join(stale)
                    + f"\n{lock} is stale: reproduce that profile and commit its results."
                )
            yield f"{lock} is up to date"


def frozen_params(pipeline: Path) -> Params | None:
    """The parameters of a profile that is frozen; None if it is not, or if this is no profile."""
    path = pipeline.with_name("params.yaml")
    if not path.exists() or not read_yaml(path).get("frozen"):
        return None
    return load_params(path)


def check_frozen(root: Path, pipeline: Path, params: Params) -> None:
    """See that each committed result of a frozen profile has the checksum that its lock says.

    Raises:
        UserError: one has not.
    """
    results = f"{ProfilePaths(params.profile).results}/"
    status = json.loads(run_dvc("status", "--json", str(pipeline), root=root))
    changed = [
        path
        for findings in status.values()
        for finding in findings
        if isinstance(finding, dict)
        for path in finding.get("changed outs", {})
        if path.startswith(results)
    ]
    if changed:
        raise UserError(
            f"{params.file}: the profile is frozen, and these results are not those of its lock: "
            f"{', '.join(sorted(changed))}. Take them from git, or run the profile again "
            f"(`ganvae repro {pipeline} --thaw`)."
        )


def refuse_frozen(pipeline: Path, params: Params) -> None:
    """Say what it would cost to run a frozen profile again.

    Raises:
        UserError: the profile is frozen.
    """
    if not params.frozen:
        return
    timings = [ProfilePaths(params.profile).run(run).timing for run in params.runs]
    seconds = [float(read_json(path)["train_seconds"]) for path in timings if path.exists()]
    raise UserError(
        f"{params.file}: the profile is frozen: its results are those of protocol "
        f"{params.frozen.protocol}, commit {params.frozen.commit}. To run it again takes "
        f"{len(params.runs)} trainings (the last time {sum(seconds) / 60:.0f} core-minutes) and as "
        f"many evaluations: `ganvae repro {pipeline} --thaw`, then remove `frozen` from the file."
    )


def _committed_locks(root: Path) -> list[Path]:
    names = ("dvc.lock", "profiles/*dvc.lock", "results/dvc.lock")
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", *names], capture_output=True, text=True, check=False
    )
    if listed.returncode:
        raise UserError(f"{root.resolve()}: not a git clone, so no lock is committed here.")
    return [Path(line) for line in listed.stdout.splitlines()]

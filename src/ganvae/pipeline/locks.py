"""Check that committed locks match the code, and that frozen results match their locks.

A lock (dvc.lock) holds the checksums of each stage's inputs and outputs. A frozen profile keeps its
results although the code has changed since.
"""

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
    """Update the records of the code's behaviour, then check every committed lock.

    The lock of a frozen profile is checked against the profile's committed results, and against
    nothing else. Every other lock is checked against code, parameters and data.

    Yields:
        One line per lock.

    Raises:
        UserError: a lock is stale, a frozen result was changed, or ``root`` is not a git clone.
    """
    locks = _committed_locks(root)
    run_dvc("repro", str(FOLDER / "dvc.yaml"), root=root)
    for lock in locks:
        pipeline = lock.with_name("dvc.yaml")
        if params := frozen_params(root / pipeline):
            check_frozen(root, pipeline, params)
            yield f"{lock}: the profile is frozen, and its results are unchanged"
        else:
            # A page across profiles is checked alone, since its profiles have their own locks, and
            # a frozen profile would always look stale.
            alone = [] if _has_profile(root / pipeline) else ["--single-item"]
            plan = run_dvc("repro", "--dry", "--allow-missing", *alone, str(pipeline), root=root)
            stale = [line for line in plan.splitlines() if line.startswith(RUNNING)]
            if stale:
                raise UserError(
                    "\n".join(stale)
                    + f"\n{lock} is stale. Run `dvc repro {pipeline}`, and commit the lock and the "
                    "results."
                )
            yield f"{lock} is up to date"


def _has_profile(pipeline: Path) -> bool:
    """Return whether the params.yaml beside a dvc.yaml describes a profile."""
    path = pipeline.with_name("params.yaml")
    return path.exists() and "profile" in read_yaml(path)


def frozen_params(pipeline: Path) -> Params | None:
    """Return the parameters of a frozen profile; None if the profile is not frozen.

    The result is also None for a pipeline without a profile. Such a pipeline has no params.yaml in
    the folder of its dvc.yaml.

    Args:
        pipeline: the path of a dvc.yaml.
    """
    path = pipeline.with_name("params.yaml")
    if not path.exists() or not read_yaml(path).get("frozen"):
        return None
    return load_params(path)


def check_frozen(root: Path, pipeline: Path, params: Params) -> None:
    """Check that each committed result of a frozen profile has the checksum in the profile's lock.

    Raises:
        UserError: a result has another checksum.
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
            f"{params.file}: the profile is frozen, but these results differ from its lock: "
            f"{', '.join(sorted(changed))}. Restore them from git, or run the profile again "
            f"(`ganvae repro {pipeline} --thaw`)."
        )


def refuse_frozen(pipeline: Path, params: Params) -> None:
    """Refuse to run a frozen profile again; the error message states the cost of another run.

    Raises:
        UserError: the profile is frozen.
    """
    if not params.frozen:
        return
    timings = [ProfilePaths(params.profile).run(run).timing for run in params.runs]
    seconds = [float(read_json(path)["train_seconds"]) for path in timings if path.exists()]
    raise UserError(
        f"{params.file}: the profile is frozen. Its results are from protocol "
        f"{params.frozen.protocol}, commit {params.frozen.commit}. Running the profile again "
        f"takes {len(params.runs)} training runs ({sum(seconds) / 60:.0f} core-minutes last time) "
        f"and as many evaluations. To run the profile again, use `ganvae repro {pipeline} --thaw`. "
        f"Then remove `frozen` from {params.file}."
    )


def _committed_locks(root: Path) -> list[Path]:
    names = ("dvc.lock", "profiles/*dvc.lock", "results/dvc.lock")
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", *names], capture_output=True, text=True, check=False
    )
    if listed.returncode:
        raise UserError(
            f"{root.resolve()} is not a git clone, so it has no committed locks. "
            "Run this command in a clone of the repository."
        )
    return [Path(line) for line in listed.stdout.splitlines()]

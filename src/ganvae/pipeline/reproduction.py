"""Reproduce a pipeline like `dvc repro`, but with several training runs at once.

The results equal those of `dvc repro` to the last bit.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from ganvae.config import Params, load_params
from ganvae.core.errors import UserError
from ganvae.core.files import read_json, write_json
from ganvae.core.lock import alone
from ganvae.core.paths import ProfilePaths
from ganvae.core.tokens import is_project
from ganvae.pipeline.dvc import Children, remove_begun_copies
from ganvae.pipeline.locks import refuse_frozen
from ganvae.pipeline.owner import wait_for_orphans
from ganvae.pipeline.preflight import check_data, check_models
from ganvae.pipeline.pretrained import restore
from ganvae.pipeline.project.tokens import refresh
from ganvae.pipeline.runners import (
    BASELINES,
    Here,
    Runner,
    check_writable,
    followed,
    reproduce_runs,
)
from ganvae.pipeline.stale import OF_A_RUN, behaviour, stages_of, stale_stages
from ganvae.pipeline.unsynced import is_unsynced, mark_unsynced

STATE = Path(".state")
RUNNING = "repro.json"
PATIENCE = 1.0  # seconds
POLL_SECONDS = 0.05
BEHAVIOUR = "behaviour"
ANNEAL = "anneal"  # takes long, so it starts after the other stages of all runs
# No run depends on these.
AFTER_RUNS = (ANNEAL, BASELINES, "by_class", "compare", "publish", "report")


def reproduce(
    pipeline: Path,
    jobs: int | None,
    thaw: bool = False,
    allow_missing: bool = False,
    runner: Callable[[Path, Children], Runner] = Here,
    instead: Callable[[Path, dict[str, list[str]]], None] | None = None,
) -> str | None:
    """Reproduce the pipeline of a ``dvc.yaml``: shared stages, then training runs, then the rest.

    Args:
        pipeline: a profile's ``dvc.yaml``, or its folder.
        jobs: the number of training runs at once; by default the number of cores divided by the
            threads of one training run.
        thaw: reproduce the profile even if it is frozen.
        allow_missing: keep the committed results of unchanged training runs whose weights this
            clone does not have. Otherwise they are trained again.
        runner: makes what performs the training runs, from the pipeline's path and the processes
            of this reproduction.
        instead: called in place of performing the training runs, with the pipeline's path and the
            stages by training run. Then the later stages are not performed either.

    Returns:
        The profile's name if MLflow may lack its results. None if everything was up to date and
        synced, or if ``instead`` was called.

    Raises:
        UserError: the pipeline does not exist, the profile is frozen, the data are missing, DVC
            cannot tell which stages are stale, or a stage failed. If a stage of a training run
            failed, the error is raised after the other training runs have ended.
    """
    if pipeline.is_dir():
        pipeline /= "dvc.yaml"
    if not (pipeline.is_file() and pipeline.name == "dvc.yaml"):
        raise UserError(
            f"{pipeline} is not a pipeline. Give the dvc.yaml of a profile, or the folder of this "
            "file."
        )
    pipeline = Path(os.path.relpath(pipeline))  # DVC names its stages by relative paths
    params = load_params(pipeline.with_name("params.yaml"))
    if not thaw:
        refuse_frozen(pipeline, params)
    with _only_one(pipeline, pipeline.parent / params.root / STATE):
        wait_for_orphans()
        return _reproduce(pipeline, params, jobs, allow_missing, runner, instead)


@contextmanager
def _only_one(pipeline: Path, state: Path) -> Iterator[None]:
    """Refuse a second reproduction in one clone inside the `with` block.

    DVC's locks hold process ids without hosts, so two hosts would take away each other's locks.

    Args:
        state: the folder of the file that says which reproduction is running.

    Raises:
        UserError: another reproduction is running, or may be running on another host.
    """
    running, host = state / RUNNING, socket.gethostname()
    with alone(state / "repro.lock", lambda: _busy(running)):
        last = _read(running)
        if last.get("host", host) != host:
            raise UserError(
                f"{_name(last)} may still be running in this clone, and two hosts must not work in "
                f"one clone. Use another clone on each host. If it has ended, delete {running}."
            )
        write_json(running, {"pipeline": str(pipeline), "process": os.getpid(), "host": host})
        try:
            yield
        finally:
            running.unlink(missing_ok=True)


def _busy(running: Path) -> str:
    """Return the message for a second reproduction, which names the first one.

    The first one may have begun so recently that the file is missing, or names a process that was
    killed. So the file is read again for up to `PATIENCE` seconds.
    """
    deadline = time.monotonic() + PATIENCE
    while not _may_run(first := _read(running)) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    name = _name(first) if _may_run(first) else "Another `ganvae repro`"
    return (
        f"{name} is already running in this clone. Wait until it has ended, or end it with Ctrl-C."
    )


def _read(running: Path) -> dict[str, Any]:
    """Read which reproduction is running. The result is empty if none has said so."""
    try:
        return dict(read_json(running))
    except UserError:  # missing, or removed just now
        return {}


def _may_run(reproduction: dict[str, Any]) -> bool:
    """Return whether a reproduction may still be running. Only those of this host can be sought."""
    here = reproduction.get("host") == socket.gethostname()
    return bool(reproduction) and not (here and not psutil.pid_exists(reproduction["process"]))


def _name(reproduction: dict[str, Any]) -> str:
    return (
        f"`ganvae repro {reproduction.get('pipeline', '')}` (process "
        f"{reproduction.get('process', 'unknown')} on host {reproduction.get('host', 'unknown')})"
    )


def _reproduce(
    pipeline: Path,
    params: Params,
    jobs: int | None,
    allow_missing: bool,
    make_runner: Callable[[Path, Children], Runner],
    instead: Callable[[Path, dict[str, list[str]]], None] | None,
) -> str | None:
    """Reproduce a pipeline that no other process works on."""
    root = pipeline.parent / params.root
    if is_project(root):
        refresh(root)
    paths = ProfilePaths(params.profile)
    remove_begun_copies((paths.data, paths.artifacts, paths.results))
    if allow_missing:
        restore(params)
    stale = stale_stages(pipeline, params, allow_missing)
    if not stale:
        print("Data and pipelines are up to date.")
        return params.profile if is_unsynced(params.profile) else None
    check_models(params, root)
    check_data(params, pipeline)
    from ganvae.pipeline.board import new_board  # imports rich: only if there is work to do

    board = new_board()
    children = Children(board)
    runner = make_runner(pipeline, children)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, signal.default_int_handler)
    try:
        check_writable(params)
        if not instead:
            mark_unsynced(params.profile)
        board.start()
        if BEHAVIOUR in stale:  # the other stages' status is only known after this one
            children.run(BEHAVIOUR, [str(behaviour(pipeline, params))])
            stale = stale_stages(pipeline, params, allow_missing)
        kinds = {stage.partition("@")[0] for stage in stale}
        shared = not kinds <= {*OF_A_RUN, *AFTER_RUNS}  # all runs depend on a stale stage
        to_do = {run: stages_of(run, stale, shared) for run in _in_order(params)}
        annealed = _annealed(params, to_do, stale)
        if shared or (allow_missing and (annealed or any(to_do.values()))):  # they read the splits
            children.run("dvc", [f"{pipeline}:reference"])
        if shared or BASELINES in stale:
            to_do[BASELINES] = [BASELINES]  # they and the runs do not depend on each other
        if instead:
            instead(pipeline, {run: to_do[run] + annealed.get(run, []) for run in to_do})
            return None
        at_once = jobs or (len(to_do) if runner.queues else runs_at_once(params))
        with followed(to_do):
            reproduce_runs(params, to_do, runner, at_once)
        if annealed:
            reproduce_runs(params, annealed, runner, at_once)
        children.run("dvc", [*(["--allow-missing"] if allow_missing else []), str(pipeline)])
        return params.profile
    except KeyboardInterrupt:
        print(
            "interrupted: run the same command again to resume from the last checkpoints",
            file=sys.stderr,
        )
        raise
    finally:
        runner.end()
        board.stop()


def _annealed(params: Params, to_do: dict[str, list[str]], stale: set[str]) -> dict[str, list[str]]:
    """Return the stages that estimate log-likelihoods, by training run.

    Args:
        to_do: the requested stages of each training run. If there are any, its weights may change.
        stale: the names of the stale stages.
    """
    names = {run: f"{ANNEAL}@{run}" for run in params.annealing.runs}
    return {run: [name] for run, name in names.items() if to_do[run] or name in stale}


def _in_order(params: Params) -> list[str]:
    """Return the keys of the training runs in the order to start them.

    The finalists' training runs come first, because they answer the project's question. Within each
    group, the longest training run comes first. A training run without a recorded time counts as
    the longest.
    """
    paths = ProfilePaths(params.profile)

    def seconds(run: str) -> float:
        timing = paths.run(run).timing
        return float(read_json(timing)["train_seconds"]) if timing.exists() else float("inf")

    def priority(run: str) -> tuple[bool, float]:
        return params.runs[run].variant not in params.finalists, -seconds(run)

    return sorted(params.runs, key=priority)


def runs_at_once(params: Params) -> int:
    """Return how many training runs to start at once.

    The number is 1 if a training run uses all threads or a GPU.
    """
    from ganvae.core.compute import use  # imports torch, which is slow: only if there is work

    threads = params.compute.threads
    if use(params.compute) == "cuda":
        return 1
    return max(1, len(os.sched_getaffinity(0)) // threads) if threads else 1

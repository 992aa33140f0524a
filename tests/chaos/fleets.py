"""Faults of several machines: killed workers of a sweep, and lost nodes of a cluster."""

import contextlib
import random
import subprocess
import tempfile
import time
from pathlib import Path

from contents import Contents, differences
from disks import SEED, Disk, Disks
from faults import SECONDS
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial
from outcomes import Row
from scenes import SCENES, start_of

from ganvae.sweeps.storage import RETRIES
from postgres import database, postgresql
from slurm import Slurm, slurm
from toy_study import create, done, finish, make_profile, start_worker, trials, wait_for
from toy_worker import GO, halted

WORKERS, TRIALS = 4, 24
STEPS = (5, 10, 15)
"""The steps of a trial of 20 steps at which a worker can halt."""
AT_RANDOM = 3
"""One of so many workers is killed at a random moment, the others at a step of a trial."""
PAUSE = (0.0, 15.0)
"""Seconds until a random moment: the least and the most."""
PER_SWEEP, PER_CLUSTER = RETRIES, 2
"""Faults per sweep and cluster. In the worst case, all workers are killed in the same trial."""
RESULTS = ("artifacts", "data", "dvc.lock", "results")
JOBS = Path(".state/jobs")


def kill_workers(disks: Disks, row: Row, number: int) -> None:
    """Kill workers of sweeps on PostgreSQL, each replaced by a new one."""
    for first in range(0, number, PER_SWEEP):
        with (
            tempfile.TemporaryDirectory() as folder,
            contextlib.chdir(folder),
            postgresql() as server,
            database(server) as url,
        ):
            make_profile()
            create(url=url, trials=TRIALS)
            _disturb_sweep(row, url, range(first, min(number, first + PER_SWEEP)))


def _disturb_sweep(row: Row, url: str, kills: range) -> None:
    """Kill workers, most of them in the middle of a trial. Then let the others finish the sweep."""
    choice = random.Random(f"{SEED} {kills}")

    def start() -> "subprocess.Popen[str]":
        trial, step = choice.randint(1, 2), choice.choice(STEPS)
        return start_worker("--halt", f"{trial}:{step}", url=url)

    workers = [start() for _ in range(WORKERS)]
    try:
        for number in kills:
            with row.fault(f"worker no. {number + 1}") as fault:
                victim = workers.pop(choice.randrange(WORKERS))
                workers.append(victim)  # killed in the end if the next lines fail
                if number % AT_RANDOM:
                    wait_for(halted(victim.pid), victim)
                    fault.name += ", in a trial"
                else:
                    time.sleep(choice.uniform(*PAUSE))
                victim.kill()
                victim.communicate()
                workers[-1] = start()
                if number == kills[-1]:
                    GO.touch()
                    for worker in workers:
                        finish(worker)
                    in_trials = sum(bool(kill % AT_RANDOM) for kill in kills)
                    fault.problems += wrong_trials(trials(url), in_trials)
                    left = [str(path) for path in Path(".state/sweeps").rglob("*")]
                    fault.problems += [f"left over: {path}" for path in left]
    finally:
        for worker in workers:
            worker.kill()


def wrong_trials(stored: list[FrozenTrial], kills: int) -> list[str]:
    """What is wrong with a complete sweep: its trials must be neither lost, doubled nor unfinished.

    Args:
        stored: the trials.
        kills: the number of workers that were killed in a trial.
    """
    completed = [frozenset(trial.params.items()) for trial in done(stored)]
    lost = {frozenset(trial.params.items()) for trial in stored if trial.params} - {*completed}
    unfinished = [trial.number for trial in stored if not trial.state.is_finished()]
    retries = sum(bool(RetryHeartbeatStaleTrialCallback.retry_history(t)) for t in stored)
    wrong = {
        f"{len(completed)} completed trials in place of {TRIALS}": len(completed) != TRIALS,
        "a trial ran twice": len({*completed}) < len(completed),
        f"lost trials: {[dict(parameters) for parameters in lost]}": lost,
        f"unfinished trials: {unfinished}": unfinished,
        f"{retries} trials ran again after {kills} kills": retries < kills,
    }
    return [problem for problem, is_wrong in wrong.items() if is_wrong]


def lose_nodes(disks: Disks, row: Row, number: int) -> None:
    """Reproduce clones on SLURM clusters whose nodes are lost while they train."""
    scene = next(scene for scene in SCENES if scene.name == "repro")
    expected = disks.undisturbed(scene).contents
    disk = disks["ext4"]
    for first in range(0, number, PER_CLUSTER):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            (place / "cluster").mkdir()
            clone = place / "clone"
            start_of(scene, disk.finished, clone)
            losses = range(first, min(number, first + PER_CLUSTER))
            with slurm(place / "cluster") as nodes:
                _disturb_cluster(row, nodes, disk, clone, expected, losses)


def _disturb_cluster(
    row: Row, nodes: Slurm, disk: Disk, clone: Path, expected: Contents, losses: range
) -> None:
    choice = random.Random(f"{SEED} {losses}")
    output = nodes.folder / "head.log"
    with output.open("w") as file:
        head = subprocess.Popen(
            ["ganvae", "repro", "--on", "slurm", "--partition", "tests", "--time", "10"],
            cwd=clone,
            env=dict(disk.variables) | {"SLURM_CONF": str(nodes.conf)},
            stdout=file,
            stderr=file,
        )
    lost: set[str] = set()
    try:
        for number in losses:
            with row.fault(f"node no. {number + 1}") as fault:
                time.sleep(choice.uniform(*PAUSE))
                number_of_job, job, node = _training_job(nodes, head, clone, lost)
                nodes.kill_node(node)
                nodes.start_node(node)
                lost.add(number_of_job)
                fault.name += f", {node} with {job}"
                if number == losses[-1]:
                    if head.wait(SECONDS):
                        fault.problems.append(output.read_text()[-400:])
                    fault.problems += differences(clone, expected, RESULTS)
                    left = [path for path in (clone / JOBS).rglob("*") if path.is_file()]
                    fault.problems += [f"left over: {p}" for p in left if p.suffix != ".lock"]
    finally:
        head.kill()


def _training_job(
    nodes: Slurm, head: "subprocess.Popen[bytes]", clone: Path, lost: set[str]
) -> list[str]:
    """Wait until a job that is not lost has a checkpoint. Return its id, its name and its node.

    Raises:
        RuntimeError: there is no such job any more.
    """
    deadline = time.monotonic() + SECONDS
    while head.poll() is None and time.monotonic() < deadline:
        for job in map(str.split, nodes.running().splitlines()):
            trains = any((clone / JOBS / job[1]).glob(".state/*/checkpoint.pt"))
            if trains and job[0] not in lost:
                return job
        time.sleep(0.1)
    raise RuntimeError("no job has a checkpoint")

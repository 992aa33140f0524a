"""Faults of several machines: killed workers of a sweep, and lost nodes of a cluster."""

import contextlib
import random
import subprocess
import time
from pathlib import Path

from faults import SECONDS, Environment
from optuna.trial import FrozenTrial, TrialState

from postgres import database, postgresql
from slurm import Slurm, slurm
from toy_study import create, done, make_profile, start_worker, trials

WORKERS = 4
TRIALS = 24
PAUSE = (1.0, 8.0)
"""Seconds between two faults: the shortest and the longest."""
Fault = tuple[str, list[str]]


def kill_workers(folder: Path, kills: int, seed: int) -> list[Fault]:
    """Kill random workers of a sweep on PostgreSQL, each replaced by a new one.

    Returns:
        Each kill. The last one has what is wrong with the complete sweep, also if the sweep was
        complete before all kills.
    """
    choice = random.Random(seed)
    with postgresql() as server, database(server) as url, contextlib.chdir(folder):
        make_profile()
        create(url=url, trials=TRIALS)
        workers = [start_worker(url=url) for _ in range(WORKERS)]
        killed, problems = 0, []
        while killed < kills and any(worker.poll() is None for worker in workers):
            time.sleep(choice.uniform(*PAUSE))
            victim = choice.randrange(WORKERS)
            if workers[victim].poll() is None:
                workers[victim].kill()
                workers[victim].communicate()
                workers[victim] = start_worker(url=url)
                killed += 1
        for worker in workers:
            errors = worker.communicate(timeout=SECONDS)[1]
            if worker.returncode or "Traceback" in errors:
                problems.append(f"a worker failed: {errors[-400:]}")
        problems += wrong_trials(trials(url))
        if killed < kills:
            problems.append(f"the sweep was complete after {killed} of {kills} kills")
        faults: list[Fault] = [(f"worker no. {number + 1}", []) for number in range(killed)]
        return [*faults[:-1], (f"worker no. {killed}", problems)]


def wrong_trials(stored: list[FrozenTrial]) -> list[str]:
    """What is wrong with the trials of a complete sweep: lost, doubled or unfinished ones."""
    completed = [tuple(trial.params.items()) for trial in done(stored)]
    problems = []
    if len(completed) != TRIALS:
        problems.append(f"{len(completed)} completed trials in place of {TRIALS}")
    if len({*completed}) != len(completed):
        problems.append("a trial ran twice")
    unfinished = [trial.number for trial in stored if not trial.state.is_finished()]
    if unfinished:
        problems.append(f"unfinished trials: {unfinished}")
    failed = [trial for trial in stored if trial.state == TrialState.FAIL and trial.params]
    lost = [trial.number for trial in failed if tuple(trial.params.items()) not in completed]
    return [*problems, *([f"lost trials: {lost}"] if lost else [])]


def lose_nodes(
    clone: Path, variables: Environment, folder: Path, losses: int, seed: int
) -> tuple[list[str], list[str]]:
    """Reproduce a clone on a SLURM cluster whose nodes are lost one after another.

    Returns:
        The nodes that were lost while they had a job, and what is wrong.
    """
    choice = random.Random(seed)
    with slurm(folder) as nodes:
        command = ["ganvae", "repro", "--on", "slurm", "--partition", "tests", "--time", "10"]
        head = subprocess.Popen(
            command,
            cwd=clone,
            env=dict(variables) | {"SLURM_CONF": str(nodes.conf)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lost: list[str] = []
        while head.poll() is None and len(lost) < losses:
            time.sleep(choice.uniform(*PAUSE))
            lost += lose_node(nodes)
        output = head.communicate(timeout=SECONDS)[0]
        problems = [output[-400:]] if head.returncode else []
        if len(lost) < losses:
            problems.append(f"{len(lost)} nodes lost in place of {losses}")
        return lost or ["no node"], problems


def lose_node(nodes: Slurm) -> list[str]:
    """Kill a node that has a job, and start it again. Return its name, or nothing."""
    jobs = nodes.running().splitlines()
    if not jobs:
        return []
    name = jobs[0].split()[-1]
    nodes.kill_node(name)
    nodes.start_node(name)
    return [name]

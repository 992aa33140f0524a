"""Measure the cost of showing a training run in MLflow while it trains.

A shortened run of the laptop profile trains alternately without and with a follower on the same
core. The measure is CPU time, which other work on the machine hardly changes.

    python benchmarks/streaming.py [--repeats 5] [--model dcgan] [--steps 2500]
"""

import argparse
import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import chdir, closing
from pathlib import Path
from typing import NamedTuple

import psutil
from mlflow import MlflowClient
from tqdm import tqdm

from ganvae.config import Params, load_params
from ganvae.core.errors import exit_with_message
from ganvae.core.live import LiveLog, LiveRun, start_follower
from ganvae.core.paths import ProfilePaths
from ganvae.tracking.follower import SECONDS
from ganvae.tracking.store import connected, find_store
from ganvae.training.runs import train_run
from results import report, table

RUN = "benchmark"
WARM_UP = LiveRun(
    profile="warm-up",
    run="warm-up",
    variant="warm-up",
    family="gan",
    seed=0,
    dataset="mnist",
    config={},
    fingerprint="",
    started=time.time(),
    samples=".",
)


class Measured(NamedTuple):
    """CPU seconds of a training run, and of its follower before and during training."""

    training: float
    start_up: float = 0.0
    following: float = 0.0


def shortened(params: Params, model: str, steps: int) -> Params:
    """The profile with a single run of this many steps."""
    section = params.variants[model]
    models = {model: section | {"schedule": section["schedule"] | {"length": steps}}}
    first = next(run for run in params.runs.values() if run.variant == model)
    return params.model_copy(update={"variants": models, "runs": {RUN: first}})


def training_seconds(params: Params, folder: Path) -> float:
    """Train in ``folder``, and return the CPU seconds."""
    os.chdir(folder)
    start = time.process_time()
    train_run(params, RUN)
    return time.process_time() - start


def train(params: Params, folder: Path) -> float:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(training_seconds, params, folder).result()


def train_followed(params: Params, folder: Path, steps: int) -> Measured:
    """Train with a follower that has already shown one run, as in `ganvae repro`."""
    with closing(LiveLog(folder, WARM_UP)) as log:
        log.add({"step": 1, "loss": 0.0})
    with chdir(folder):
        follower = start_follower()
    try:
        wait_until_shown(folder, WARM_UP.run, 1)
        start_up = cpu_seconds(follower.pid)
        seconds = train(params, folder)
        wait_until_shown(folder, RUN, steps)
        return Measured(seconds, start_up, cpu_seconds(follower.pid) - start_up)
    finally:
        follower.terminate()
        follower.wait()


def wait_until_shown(folder: Path, run: str, step: int) -> None:
    """Wait until MLflow shows this step of a run, and until the follower has read once more."""
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    while step not in shown_steps(client, run):
        time.sleep(1.0)
    time.sleep(SECONDS)


def shown_steps(client: MlflowClient, name: str) -> set[int]:
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return {
        point.step
        for run in client.search_runs(experiments, f"attributes.run_name = '{name}'")
        for metric in run.data.metrics
        for point in client.get_metric_history(run.info.run_id, metric)
    }


def cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def prepared(parent: Path, name: str, database: Path, data: Path) -> Path:
    """A folder to train in, with the training images and an empty database."""
    folder = parent / name
    (folder / data).parent.mkdir(parents=True)
    (folder / data).symlink_to(data.absolute())
    shutil.copy(database, folder / "mlflow.db")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--model", default="dcgan", help="a variant of the laptop profile")
    parser.add_argument("--steps", type=int, default=2500)
    arguments = parser.parse_args()
    for variable in ("MLFLOW_TRACKING_URI", "DVC_ROOT"):
        os.environ.pop(variable, None)
    full = load_params(Path("params.yaml"))
    params = shortened(full, arguments.model, arguments.steps)
    data = ProfilePaths(params.profile).split("train")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # child processes inherit it
    alone, followed = [], []
    with tempfile.TemporaryDirectory() as name:
        parent = Path(name)
        database = parent / "mlflow.db"
        with connected(find_store(f"sqlite:///{database}")):
            pass
        for turn in tqdm(range(arguments.repeats), leave=False):
            folders = [prepared(parent, f"{turn}{kind}", database, data) for kind in "ab"]
            alone.append(train(params, folders[0]))
            followed.append(train_followed(params, folders[1], arguments.steps))
    report(__file__, findings(alone, followed, arguments.model, arguments.steps))


def findings(alone: list[float], followed: list[Measured], model: str, steps: int) -> str:
    def row(name: str, values: list[float], form: str = ".2f") -> tuple[str, str, str, str]:
        numbers = statistics.median(values), min(values), max(values)
        return name, *(format(number, form) for number in numbers)  # type: ignore[return-value]

    pairs = list(zip(alone, followed, strict=True))
    rows = [
        row("training alone, CPU-s", alone),
        row("training followed, CPU-s", [with_it.training for _, with_it in pairs]),
        row("follower while it trains, CPU-s", [with_it.following for _, with_it in pairs]),
        row("follower as a share of the training", [b.following / a for a, b in pairs], ".1%"),
        row(
            "both, relative to training alone",
            [(b.training + b.following) / a for a, b in pairs],
            ".3f",
        ),
        row("follower's start-up, CPU-s, once", [with_it.start_up for _, with_it in pairs]),
    ]
    return (
        f"{table(('', 'median', 'lowest', 'highest'), rows)}\n\n"
        f"{steps} steps of `{model}` in the laptop profile, {len(pairs)} pairs of runs. Follower "
        f"and training share one core. The follower reads the logs every {SECONDS:.0f} s. Its "
        "start-up is the import of MLflow and the first connection. The target for its share is 2%."
    )


if __name__ == "__main__":
    exit_with_message(main)

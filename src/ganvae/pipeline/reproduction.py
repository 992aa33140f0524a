"""`dvc repro` with as many runs at once as there are cores; the results are the same bits."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ganvae.config import Params, load_params
from ganvae.core.errors import UserError
from ganvae.core.files import read_json
from ganvae.core.live import start_follower
from ganvae.core.paths import ProfilePaths
from ganvae.core.tokens import FOLDER
from ganvae.pipeline.dvc import Children, run_dvc
from ganvae.pipeline.locks import refuse_frozen

if TYPE_CHECKING:
    from ganvae.pipeline.board import Board

BEHAVIOUR = "behaviour"
OF_A_RUN = ("train", "evaluate", "draw")  # stages with one instance a run, in their order
BASELINES = "baselines"
AFTER_RUNS = (BASELINES, "by_class", "compare", "publish", "report")  # what no run waits for


def reproduce(pipeline: Path, jobs: int | None, thaw: bool = False) -> str | None:
    """Reproduce the pipeline of a ``dvc.yaml``: what all runs need, the runs, then the rest.

    Args:
        jobs: runs at once; by default as many as have cores enough for their threads.
        thaw: run a frozen profile again.

    Returns:
        The profile, or None if there was nothing to do.

    Raises:
        UserError: there is no such pipeline, it is frozen, DVC cannot tell what there is to do,
            or a stage failed (the other runs are completed first).
    """
    if pipeline.is_dir():
        pipeline /= "dvc.yaml"
    if not (pipeline.is_file() and pipeline.name == "dvc.yaml"):
        raise UserError(f"{pipeline}: no such pipeline; give a profile's dvc.yaml or its folder.")
    pipeline = Path(os.path.relpath(pipeline))  # as DVC names its stages
    params = load_params(pipeline.with_name("params.yaml"))
    if not thaw:
        refuse_frozen(pipeline, params)
    stale = _stale(pipeline, params)
    if not stale:
        print("Data and pipelines are up to date.")
        return None
    _check_models(params)
    _check_data(params, pipeline)
    from ganvae.pipeline.board import new_board  # rich, which nothing to do need not wait for

    board = new_board()
    children = Children(board)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)
    try:
        board.start()
        if BEHAVIOUR in stale:  # only then it shows what else is
            children.run(BEHAVIOUR, [str(_behaviour(pipeline, params))])
            stale = _stale(pipeline, params)
        kinds = {stage.partition("@")[0] for stage in stale}
        shared = not kinds <= {*OF_A_RUN, *AFTER_RUNS}  # what all runs need has changed
        if shared:
            children.run("dvc", [f"{pipeline}:reference"])
        to_do = {run: _stages(run, stale, shared) for run in _in_order(params)}
        if shared or BASELINES in stale:
            to_do[BASELINES] = [BASELINES]  # no run waits for them, and they for none
        with _followed(to_do):
            _reproduce_runs(pipeline, params, to_do, children, jobs or _jobs(params))
        children.run("dvc", [str(pipeline)])
        return params.profile
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from the last checkpoints", file=sys.stderr)
        raise
    finally:
        children.end()
        board.stop()


def _reproduce_runs(
    pipeline: Path,
    params: Params,
    to_do: dict[str, list[str]],
    children: "Children",
    jobs: int,
) -> None:
    """Each run's stages, the baselines', and after each run what is known by then."""
    runs = {run for run, stages in to_do.items() if stages} & params.runs.keys()
    pending = {run for run in runs if f"evaluate@{run}" in to_do[run]}  # the others have scores
    children.board.expect(len(runs), jobs)
    pool = ThreadPoolExecutor(jobs)
    try:
        futures = {
            pool.submit(
                children.run, run, ["--single-item", *(f"{pipeline}:{stage}" for stage in stages)]
            ): run
            for run, stages in to_do.items()
            if stages
        }
        failures = []
        for future in as_completed(futures):
            name, error = futures[future], future.exception()
            if error:
                failures.append(str(error))
            if name == BASELINES:
                continue
            children.board.end(name, failed=bool(error))
            if not error:
                pending.discard(name)
            if pending and not error:
                _show_standings(params, set(params.runs) - pending, children.board)
    except BaseException:
        children.end()  # or the pool would wait for them
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    if failures:
        raise UserError("\n".join(failures))


def _show_standings(params: Params, done: set[str], board: "Board") -> None:
    """What the runs say that are done. No training ends because it cannot be shown."""
    from ganvae.report.provisional import write_provisional  # scipy takes a second

    try:
        board.standings(write_provisional(params, done))
    except Exception as error:
        board.line("standings", f"{type(error).__name__}: {error}")


@contextmanager
def _followed(to_do: dict[str, list[str]]) -> Iterator[None]:
    """Show the runs in MLflow while they train, if any does and MLflow is installed."""
    trains = any(f"train@{run}" in stages for run, stages in to_do.items())
    if not (trains and find_spec("mlflow")):
        yield
        return
    follower = start_follower()
    try:
        yield
    finally:
        follower.terminate()
        follower.wait()


def _check_models(params: Params) -> None:
    """Find a fault in a model's section now, and not in each run."""
    from ganvae.training.runs import model_configs  # torch takes a second; see `_jobs`

    model_configs(params)


def _check_data(params: Params, pipeline: Path) -> None:
    """Say where the images are to be had, which DVC cannot.

    Raises:
        UserError: the folder that they are read from is missing or empty.
    """
    data = params.data
    directory = pipeline.parent / params.root / data.directory
    if directory.is_dir() and any(directory.iterdir()):
        return
    fetch = f"Get them with `ganvae fetch {data.dataset} --directory {data.directory}`, or name"
    raise UserError(
        f"{data.directory}: no folder with files of {data.dataset}. "
        f"{'Name' if data.layout == 'folders' else fetch} theirs in {params.file}: data.directory."
    )


def _behaviour(pipeline: Path, params: Params) -> Path:
    """The pipeline that measures what the code does, which every other one depends on."""
    return Path(os.path.relpath(pipeline.parent / params.root / FOLDER / "dvc.yaml"))


def _stale(pipeline: Path, params: Params) -> set[str]:
    """The names of the stages that have something to do, without the files they are in.

    DVC tells it of the files that it is given, not of those that they depend on. A judge's pipeline
    stands in a folder beside the profile's.
    """
    judges = pipeline.parent.glob("judge*/dvc.yaml")
    others = [*judges, _behaviour(pipeline, params)]
    files = [str(path) for path in (pipeline, *others)]
    status = json.loads(run_dvc("--wait-for-lock", "status", "--json", *files))
    return {address.rpartition(":")[2] for address in status}


def _stages(run: str, stale: set[str], shared: bool) -> list[str]:
    """What to ask of DVC for a run, in order. It leaves out by itself what turns out unchanged."""
    stages = [f"{stage}@{run}" for stage in OF_A_RUN]
    everything = shared or stages[0] in stale
    return [stage for stage in stages if everything or stage in stale]


def _in_order(params: Params) -> list[str]:
    """The finalists' runs, which answer the question, then the others; of each the longest first.

    Those that never ran count as the longest.
    """
    paths = ProfilePaths(params.profile)

    def seconds(run: str) -> float:
        timing = paths.run(run).timing
        return float(read_json(timing)["train_seconds"]) if timing.exists() else float("inf")

    def place(run: str) -> tuple[bool, float]:
        return params.runs[run].variant not in params.finalists, -seconds(run)

    return sorted(params.runs, key=place)


def _jobs(params: Params) -> int:
    """A run with all threads is alone, and so is one with a GPU."""
    from ganvae.core.compute import use  # torch takes a second, which nothing to do need not

    threads = params.compute.threads
    if use(params.compute) == "cuda":
        return 1
    return max(1, len(os.sched_getaffinity(0)) // threads) if threads else 1

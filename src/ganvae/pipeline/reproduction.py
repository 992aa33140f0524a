"""Reproduce a pipeline like `dvc repro`, but with several training runs at once.

The results equal those of `dvc repro` to the last bit.
"""

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
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import read_json
from ganvae.core.live import start_follower
from ganvae.core.paths import ProfilePaths
from ganvae.core.tokens import FOLDER
from ganvae.pipeline.dvc import Children, run_dvc
from ganvae.pipeline.locks import refuse_frozen
from ganvae.report.numbers import listed

if TYPE_CHECKING:
    from ganvae.pipeline.board import Board

BEHAVIOUR = "behaviour"
OF_A_RUN = ("train", "evaluate", "draw")  # stages with one instance per run, in order
BASELINES = "baselines"
AFTER_RUNS = (BASELINES, "by_class", "compare", "publish", "report")  # no run depends on these


def reproduce(pipeline: Path, jobs: int | None, thaw: bool = False) -> str | None:
    """Reproduce the pipeline of a ``dvc.yaml``: shared stages, then training runs, then the rest.

    Args:
        pipeline: a profile's ``dvc.yaml``, or its folder.
        jobs: the number of training runs at once; by default the number of cores divided by the
            threads of one training run.
        thaw: reproduce the profile even if it is frozen.

    Returns:
        The profile's name, or None if everything was up to date.

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
    stale = _stale(pipeline, params)
    if not stale:
        print("Data and pipelines are up to date.")
        return None
    _check_models(params)
    _check_data(params, pipeline)
    from ganvae.pipeline.board import new_board  # imports rich: only if there is work to do

    board = new_board()
    children = Children(board)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, signal.default_int_handler)
    try:
        board.start()
        if BEHAVIOUR in stale:  # the other stages' status is only known after this one
            children.run(BEHAVIOUR, [str(_behaviour(pipeline, params))])
            stale = _stale(pipeline, params)
        kinds = {stage.partition("@")[0] for stage in stale}
        shared = not kinds <= {*OF_A_RUN, *AFTER_RUNS}  # all runs depend on a stale stage
        if shared:
            children.run("dvc", [f"{pipeline}:reference"])
        to_do = {run: _stages(run, stale, shared) for run in _in_order(params)}
        if shared or BASELINES in stale:
            to_do[BASELINES] = [BASELINES]  # they and the runs do not depend on each other
        with _followed(to_do):
            _reproduce_runs(pipeline, params, to_do, children, jobs or runs_at_once(params))
        children.run("dvc", [str(pipeline)])
        return params.profile
    except KeyboardInterrupt:
        print(
            "interrupted: run the same command again to resume from the last checkpoints",
            file=sys.stderr,
        )
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
    """Run the stages of each training run and the baselines; show the standings as runs finish.

    Args:
        to_do: the stages to request, by training run; the baselines have the key ``baselines``.
        jobs: the number of training runs at once.

    Raises:
        UserError: a stage failed.
    """
    runs = {run for run, stages in to_do.items() if stages} & params.runs.keys()
    pending = {run for run in runs if f"evaluate@{run}" in to_do[run]}  # others have scores
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
        children.end()  # otherwise the pool would wait for them
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    if failures:
        raise UserError("\n".join(failures))


def _show_standings(params: Params, done: set[str], board: "Board") -> None:
    """Show the scores of the finished training runs. An error in this function is only printed."""
    from ganvae.report.provisional import write_provisional  # imports scipy, which is slow

    try:
        board.standings(write_provisional(params, done))
    except Exception as error:
        board.line("standings", f"{type(error).__name__}: {error}")


@contextmanager
def _followed(to_do: dict[str, list[str]]) -> Iterator[None]:
    """Show training runs in MLflow inside the `with` block.

    Nothing is shown if MLflow is not installed, or if no training stage is requested.

    Args:
        to_do: the stages to request, by training run.
    """
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
    """Check all variants before the first training run, to report a fault only once.

    Raises:
        ConfigError: a variant's section is invalid, or the finalists are no GAN and VAE.
    """
    from ganvae.models.registry import system_class  # imports torch; see `runs_at_once`
    from ganvae.training.runs import model_configs

    model_configs(params)
    families = [str(system_class(params.system(name)).family) for name in params.finalists]
    if families not in ([], ["gan", "vae"]):
        raise ConfigError(
            f"{params.file}: finalists are {listed(params.finalists)}, whose families are "
            f"{listed(families)}. Give a GAN first, and then a VAE."
        )


def _check_data(params: Params, pipeline: Path) -> None:
    """Check that the images exist; DVC's own message could not say where to get them.

    Raises:
        UserError: the data set's folder is missing or empty.
    """
    data = params.data
    directory = pipeline.parent / params.root / data.directory
    if directory.is_dir() and any(directory.iterdir()):
        return
    fetch = f"Run `ganvae fetch {data.dataset} --directory {data.directory}`, or set"
    raise UserError(
        f"{data.directory} has no files of {data.dataset}. "
        f"{'Set' if data.layout == 'folders' else fetch} data.directory in {params.file} to the "
        "folder of these files."
    )


def _behaviour(pipeline: Path, params: Params) -> Path:
    """Return the dvc.yaml that measures how the code behaves; all other pipelines depend on it."""
    return Path(os.path.relpath(pipeline.parent / params.root / FOLDER / "dvc.yaml"))


def _stale(pipeline: Path, params: Params) -> set[str]:
    """Return the names of the stale stages, without the path of their dvc.yaml.

    DVC reports only on the dvc.yaml files in its arguments, not on pipelines that these depend on.
    So the arguments include the behaviour pipeline and the judges' pipelines. A judge's pipeline is
    in a folder beside the profile's dvc.yaml.
    """
    judges = pipeline.parent.glob("judge*/dvc.yaml")
    others = [*judges, _behaviour(pipeline, params)]
    files = [str(path) for path in (pipeline, *others)]
    status = json.loads(run_dvc("--wait-for-lock", "status", "--json", *files))
    return {address.rpartition(":")[2] for address in status}


def _stages(run: str, stale: set[str], shared: bool) -> list[str]:
    """Return the stages to request for a training run, in order. DVC skips unchanged stages.

    Args:
        run: the training run's key.
        stale: the names of the stale stages.
        shared: whether a stage that all training runs depend on is stale; if so, all are requested.
    """
    stages = [f"{stage}@{run}" for stage in OF_A_RUN]
    request_all = shared or stages[0] in stale
    return [stage for stage in stages if request_all or stage in stale]


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

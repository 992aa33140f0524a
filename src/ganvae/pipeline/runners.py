"""Perform the stages of many training runs at once, and show what has finished."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Protocol

from ganvae.config import Params
from ganvae.core.errors import UserError
from ganvae.core.live import start_follower
from ganvae.core.paths import ProfilePaths
from ganvae.pipeline.dvc import Children

if TYPE_CHECKING:
    from ganvae.pipeline.board import Board

BASELINES = "baselines"
PROBE_BYTES = 10**6


class Runner(Protocol):
    """Performs training runs: `Here` on this machine, `ganvae.pipeline.cluster.Cluster` as jobs."""

    children: Children
    """The processes of this reproduction, and the board that shows their output."""
    queues: bool
    """Whether any number of runs can be handed over at once, since a scheduler queues them."""

    def begin(self) -> None:
        """Prepare for runs. Called before the first of several runs, while no DVC process runs."""

    def run(self, name: str, stages: Sequence[str]) -> None:
        """Perform the stages of a training run, and wait until they have ended.

        Raises:
            UserError: a stage failed.
        """

    def end(self) -> None:
        """End everything that this runner has started."""


class Here:
    """Performs each training run in a process of this machine."""

    def __init__(self, pipeline: Path, children: Children) -> None:
        self.children = children
        self.queues = False
        self._pipeline = pipeline

    def begin(self) -> None:
        pass

    def run(self, name: str, stages: Sequence[str]) -> None:
        addresses = [f"{self._pipeline}:{stage}" for stage in stages]
        self.children.run(name, ["--single-item", *addresses])

    def end(self) -> None:
        self.children.end()


def reproduce_runs(params: Params, to_do: dict[str, list[str]], runner: Runner, jobs: int) -> None:
    """Run the stages of each training run and the baselines; show the standings as runs finish.

    Args:
        to_do: the stages to request, by training run; the baselines have the key ``baselines``.
        runner: performs the stages of a training run.
        jobs: the number of training runs at once.

    Raises:
        UserError: a stage failed.
    """
    runs = {run for run, stages in to_do.items() if stages} & params.runs.keys()
    pending = {run for run in runs if f"evaluate@{run}" in to_do[run]}  # others have scores
    board = runner.children.board
    board.expect(len(runs), jobs)
    runner.begin()
    pool = ThreadPoolExecutor(jobs)
    try:
        futures = {
            pool.submit(runner.run, run, stages): run for run, stages in to_do.items() if stages
        }
        failures = []
        for future in as_completed(futures):
            name, error = futures[future], future.exception()
            if error and not isinstance(error, UserError):
                raise error  # a bug, which needs its traceback
            if error:
                failures.append(str(error))
                check_writable(params)  # else every further run would fail at its end
            if name == BASELINES:
                continue
            board.end(name, failed=bool(error))
            if not error:
                pending.discard(name)
            if pending and not error:
                _show_standings(params, set(params.runs) - pending, board)
    except BaseException:
        runner.end()  # otherwise the pool would wait for them
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    if failures:
        raise UserError("\n".join(failures))


def check_writable(params: Params) -> None:
    """Check that results and weights can be written.

    Raises:
        UserError: a folder is read-only, or the disk is full.
    """
    run = ProfilePaths(params.profile).run("")
    for folder in (run.results, run.artifacts):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder) as probe:
                probe.write(bytes(PROBE_BYTES))
        except OSError as error:
            raise UserError(
                f"cannot write to {folder}: {error.strerror}. Check the free disk space and the "
                "permissions, then run the same command again."
            ) from None


def _show_standings(params: Params, done: set[str], board: "Board") -> None:
    """Show the scores of the finished training runs. An error in this function is only printed."""
    from ganvae.report.provisional import write_provisional  # imports scipy, which is slow

    try:
        board.standings(write_provisional(params, done))
    except Exception as error:
        board.line("standings", f"{type(error).__name__}: {error}")


@contextmanager
def followed(to_do: dict[str, list[str]]) -> Iterator[None]:
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

"""Worker processes that perform the training runs of a match, each with a record at its end."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from ganvae.core.errors import UserError
from ganvae.matches.arena import enter
from ganvae.matches.spec import Match
from ganvae.matches.trial import Arena, Job
from ganvae.scores.matches import TrainedRecord, write_trained

KILLED = 137
"""The exit status of a worker whose parent process has ended."""

_match: tuple[str, Match] | None = None  # of a worker process
_arena: Arena | None = None  # of a worker process


@contextmanager
def workers(name: str, match: Match, count: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of at most ``count`` processes for `submit`. They end with the `with` block.

    Raises:
        UserError: a worker process was killed.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, context, _start, (name, match))
    try:
        with _interrupted_by(signal.SIGTERM, signal.SIGHUP):
            yield pool
    except BrokenProcessPool:
        raise UserError(
            f"a worker process of match {name} was killed, perhaps because the memory was full. "
            "Finished training runs are not lost. Run the same command again to resume, with fewer "
            "--workers if the memory was full."
        ) from None
    except KeyboardInterrupt:
        print(
            "interrupted: run the same command again to resume from the last checkpoints",
            file=sys.stderr,
        )
        raise
    finally:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(cancel_futures=True)


def submit(pool: ProcessPoolExecutor, jobs: Iterable[Job]) -> list[Future[TrainedRecord]]:
    """Start training runs. Ctrl-C does not reach the workers, only this process.

    New processes inherit the mask of signals, which blocks Ctrl-C while they are started.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return [pool.submit(_perform, job) for job in jobs]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _interrupted_by(*signals: signal.Signals) -> Iterator[None]:
    """Treat signals like Ctrl-C inside the `with` block, unless they are ignored, as by nohup.

    Batch systems end jobs with SIGTERM, and closed terminals with SIGHUP.
    """
    before = {number: signal.getsignal(number) for number in signals}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(name: str, match: Match) -> None:
    global _match
    _match = name, match
    tqdm.set_lock(threading.RLock())  # its lock between processes would outlive an ended worker
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent ends, even if killed: nobody could stop it any more."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(KILLED)


def _perform(job: Job) -> TrainedRecord:
    """Perform a training run and write its record, so that a kill of the parent loses nothing."""
    global _arena
    assert _match is not None
    arena = _arena = _arena or enter(*_match)
    record = arena.run(job)
    write_trained(Path(), arena.name, record)
    arena.forget(job)
    return record

"""Let the processes of `ganvae repro` end with it, even if it is killed.

`ganvae repro` starts DVC in process groups of their own, and a kill of `ganvae repro` alone does
not reach them. They would train on, and the next `ganvae repro` would find DVC busy.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

OWNER = "GANVAE_OWNER"
"""The environment variable with the owner of a process.

Its value is the owner's process id, the time the owner started, and the namespace of the id. Each
container has a namespace of its own.
"""
POLL_SECONDS = 0.5
PATIENCE = 20.0  # seconds
SAME_SECONDS = 60.0
"""How far a start time may move when the system's clock is set."""


def owned() -> dict[str, str]:
    """Return the environment variable that makes this process the owner of a child."""
    process = psutil.Process()
    return {OWNER: f"{process.pid}@{process.create_time()}@{_namespace()}"}


def end_with_owner(*, alone: bool = False) -> None:
    """Kill this process's group when its owner ends. Without an owner, do nothing.

    Results are written atomically, and training resumes from checkpoints, so a kill loses nothing.

    Args:
        alone: kill only this process, because others share its group.
    """
    if owner := os.environ.get(OWNER):
        threading.Thread(target=_watch, args=(owner, alone), daemon=True).start()


def wait_for_orphans() -> None:
    """Wait until no process lives whose owner has ended. After `PATIENCE` seconds, kill the rest.

    The processes see within `POLL_SECONDS` that their owner has ended.
    """
    deadline = time.monotonic() + PATIENCE
    while orphans := list(_orphans()):
        if time.monotonic() > deadline:
            for process in orphans:
                with suppress(psutil.NoSuchProcess):  # it has just ended
                    process.kill()
        time.sleep(POLL_SECONDS)


def _watch(owner: str, alone: bool) -> None:
    while _lives(owner):
        time.sleep(POLL_SECONDS)
    if alone:
        os.kill(os.getpid(), signal.SIGKILL)
    os.killpg(0, signal.SIGKILL)


def _orphans() -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            owner = process.environ().get(OWNER)
            zombie = process.status() == psutil.STATUS_ZOMBIE
        except psutil.Error:  # another user's process, or it has just ended
            continue
        if owner and not zombie and _is_here(owner) and not _lives(owner):
            yield process


def _is_here(owner: str) -> bool:
    """Return whether an owner's process id is an id of this machine or of this container."""
    return owner.split("@")[2:] == [_namespace()]


def _namespace() -> str:
    """Return the namespace of this process's id; "" on systems without namespaces."""
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return ""


def _lives(owner: str) -> bool:
    """Return whether a process lives, and not only a later process with the same id."""
    process_id, started, *_ = owner.split("@")
    try:
        process = psutil.Process(int(process_id))
        same = abs(process.create_time() - float(started)) < SAME_SECONDS
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False

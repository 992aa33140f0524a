"""Keep two processes from doing the same work, or from changing the same files at once."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ganvae.core.errors import UserError

LOCKS = Path(".state/locks")
"""The folder for lock files of results, relative to the repository's root."""
POLL_SECONDS = 0.5


@contextmanager
def in_turn(
    lock: Path, message: str, *, notice: float = 0.0, patience: float = math.inf
) -> Iterator[bool]:
    """Hold a lock file inside the `with` block. Wait while another process holds it.

    The lock ends with its process, even if killed.

    Args:
        message: printed after ``notice`` seconds of waiting.
        notice: seconds.
        patience: the seconds to wait after the message.

    Yields:
        Whether this process had to wait.

    Raises:
        OSError: the lock file cannot be written, or another process has held it for too long.
    """
    held, waited = FileLock(lock), False
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        held.acquire(timeout=min(notice, patience))
    except Timeout:
        waited = True
        print(message, flush=True)
        _acquire(held, patience)
    try:
        yield waited
    finally:
        held.release()


def _acquire(held: FileLock, patience: float) -> None:
    try:
        held.acquire(-1 if patience == math.inf else patience, poll_interval=POLL_SECONDS)
    except Timeout:
        raise OSError(f"another process has held {held.lock_file} for {patience:.0f} s") from None


@contextmanager
def alone(lock: Path, message: str | Callable[[], str]) -> Iterator[None]:
    """Hold a lock file inside the `with` block. The lock ends with its process, even if killed.

    Args:
        message: the error's message if another process holds the lock. A function is only called
            then.

    Raises:
        UserError: another process holds the lock, or the lock file cannot be written.
    """
    held = FileLock(lock)
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        held.acquire(timeout=0)
    except Timeout:
        raise UserError(message if isinstance(message, str) else message()) from None
    except OSError as error:
        raise UserError(
            f"cannot write {lock}: {error.strerror}. Check the permissions of its folder."
        ) from None
    try:
        yield
    finally:
        held.release()

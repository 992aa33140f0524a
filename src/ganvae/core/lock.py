"""Keep two processes from doing the same work, or from changing the same files at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ganvae.core.errors import UserError

LOCKS = Path(".state/locks")
"""The folder for lock files of results, relative to the repository's root."""
POLL_SECONDS = 0.5


@contextmanager
def in_turn(lock: Path, message: str) -> Iterator[bool]:
    """Hold a lock file inside the `with` block. Wait while another process holds it.

    The lock ends with its process, even if killed.

    Args:
        message: printed before waiting.

    Yields:
        Whether this process had to wait.

    Raises:
        OSError: the lock file cannot be written.
    """
    held, waited = FileLock(lock), False
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        held.acquire(timeout=0)
    except Timeout:
        waited = True
        print(message, flush=True)
        held.acquire(poll_interval=POLL_SECONDS)
    try:
        yield waited
    finally:
        held.release()


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

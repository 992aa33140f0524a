"""Let processes change the same files one after another."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

LOCKS = Path(".state/locks")
"""The folder for lock files of results, relative to the repository's root."""


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
        held.acquire(poll_interval=0.5)
    try:
        yield waited
    finally:
        held.release()

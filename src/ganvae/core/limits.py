"""Checks that unpacking a file, or training with given parameters, does not need too much memory.

A small compressed file can unpack to more bytes than fit into memory. So readers call
`check_unpacked` before they unpack a file.
"""

import os

import psutil

from ganvae.core.errors import ConfigError, DataError

VARIABLE = "GANVAE_UNPACK_LIMIT_GB"
DEFAULT_GB = 8.0
GB = 10**9
DAMAGED = 10**5  # a file that announces so many times the limit is damaged

LARGEST_SEED = 2**32 - 1
"""The largest random seed. NumPy accepts no larger seed."""

MOST_THREADS = 1024
"""The largest number of threads. With far more threads, OpenMP runs out of memory."""


def unpack_limit() -> int:
    """The largest number of bytes that one file may unpack to.

    The environment variable ``GANVAE_UNPACK_LIMIT_GB`` sets the limit in GB.

    Raises:
        ConfigError: the environment variable is not a positive number.
    """
    text = os.environ.get(VARIABLE)
    if text is None:
        return int(DEFAULT_GB * GB)
    try:
        limit = float(text)
    except ValueError:
        limit = float("nan")
    if not 0 < limit < float("inf"):
        raise ConfigError(f"{VARIABLE} is {text!r}, but it must be a positive number of GB.")
    return int(limit * GB)


def check_unpacked(size: int, name: str) -> None:
    """Check that a file does not unpack to more than the limit (`unpack_limit`).

    Args:
        size: the number of bytes after unpacking.
        name: the name of the file in the error message.

    Raises:
        DataError: ``size`` exceeds the limit.
    """
    limit = unpack_limit()
    if size > DAMAGED * limit:
        raise DataError(
            f"{name} is damaged: its header announces {gigabytes(size)}. Get the file again."
        )
    if size > limit:
        raise DataError(
            f"{name} unpacks to {gigabytes(size)} or more, but the limit is {gigabytes(limit)}. "
            f"If you trust the file, raise the limit: set {VARIABLE}={size // GB + 1}."
        )


def check_memory(size: int, what: str, remedy: str) -> None:
    """Check that this machine has ``size`` bytes of free memory.

    Args:
        what: the thing that needs the memory, for the start of the error message.
        remedy: a clause that tells the user what to do, such as ``give a smaller n``.

    Raises:
        ConfigError: this machine has less free memory.
    """
    available = psutil.virtual_memory().available
    if size > available:
        raise ConfigError(
            f"{what} needs about {gigabytes(size)} of memory, but this machine has "
            f"{gigabytes(available)} free: {remedy}."
        )


def gigabytes(size: int) -> str:
    """A number of bytes as text, such as ``1.5 GB``. Below 0.1 GB, the unit is MB."""
    return f"{size / GB:,.1f} GB" if size >= GB // 10 else f"{size / 10**6:,.1f} MB"

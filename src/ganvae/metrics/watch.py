"""How a long computation reports its progress."""

from collections.abc import Callable

Watch = Callable[[], None]
"""A function that the computation calls after each of its steps."""


def unwatched() -> None:
    """Do nothing: the `Watch` of a computation whose progress nobody sees."""

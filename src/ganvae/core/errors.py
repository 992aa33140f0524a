"""Errors that a user can fix, and the function that prints them as messages."""

import sys
from collections.abc import Callable


class UserError(Exception):
    """An error that the user can fix. The message says what is wrong, where, and what to do."""


class ConfigError(UserError):
    """A parameter is unknown, has the wrong type or is out of range."""


class DataError(UserError):
    """A data file is missing, damaged, or in a different form than expected."""


def exit_with_message(main: Callable[[], None]) -> None:
    """Run ``main``. Print a `UserError` on stderr without a traceback, and exit with status 1.

    Ctrl-C exits with status 130, as shells expect. Any other exception is a bug in this program
    and keeps its traceback.
    """
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

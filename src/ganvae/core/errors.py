"""Errors that a user can act on, and the one place that turns them into a message."""

import sys
from collections.abc import Callable


class UserError(Exception):
    """Something the user can mend: the message names the thing, what was found and what to do."""


class ConfigError(UserError):
    """A parameter that is unknown, of the wrong type or out of range."""


class DataError(UserError):
    """A data file that is missing, corrupt or of another form than was asked for."""


def exit_with_message(main: Callable[[], None]) -> None:
    """Run ``main``; a `UserError` becomes one line on stderr and exit status 1.

    Ctrl-C gives exit status 130, as shells expect. Any other exception is a fault of this
    program and keeps its traceback.
    """
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

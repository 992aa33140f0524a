"""Errors that a user can fix, and a function that prints such errors without a traceback."""

import sys
from collections.abc import Callable


class UserError(Exception):
    """An error that the user can fix. The message names the fault, its place and the remedy."""


class ConfigError(UserError):
    """A parameter is unknown, has the wrong type or is out of range."""


class DataError(UserError):
    """A data file is missing, damaged or in an unexpected form."""


def exit_with_message(main: Callable[[], None]) -> None:
    """Call ``main``. If it raises a `UserError`, print only the message, and exit with status 1.

    The message goes to stderr. An `OSError` and a `MemoryError` are handled like a
    `UserError`. Ctrl-C exits with status 130, as shells expect. Any other exception keeps its
    traceback, because the exception is a bug in this program.
    """
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {_printable(str(error))}")
    except OSError as error:
        path = f"{error.filename}: " if error.filename else ""
        sys.exit(
            f"error: {_printable(path)}{error.strerror or error}. Check the path, its permissions "
            "and the disk."
        )
    except MemoryError:
        sys.exit("error: this machine has too little free memory. Give fewer or smaller images.")
    except KeyboardInterrupt:
        sys.exit(130)


def _printable(text: str) -> str:
    """The text with characters that a terminal would obey, such as an escape, in escaped form."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)

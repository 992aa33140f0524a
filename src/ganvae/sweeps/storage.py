"""The database that a study's workers share, and errors from it in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.exceptions import DuplicatedStudyError, StorageInternalError
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from ganvae.errors import UserError

RETRIES = 3
"""How often a trial is taken up again after its worker died, before it is given up."""

HEARTBEAT_SECONDS = 30
GRACE_SECONDS = 90
"""A running trial without a heartbeat for so long has lost its worker."""

SQLITE_SECONDS = 60.0
"""How long a process waits for another one's lock on a SQLite file."""


class StorageError(UserError):
    """The storage cannot be reached, read or written."""


def open_storage(url: str, *, create: bool) -> RDBStorage:
    """Connect to ``url``, any that Optuna's RDBStorage takes.

    Args:
        create: make the tables if there are none; of many processes only one should.

    Raises:
        StorageError: it cannot be reached, or there is none yet and it is not to be made.
    """
    with explained(url):
        parsed = make_url(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        if is_sqlite and not create and not Path(parsed.database or "").exists():
            raise StorageError(
                f"there is no sweep storage at {shown(url)}: `ganvae sweep create` makes one."
            )
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        return RDBStorage(
            url,
            engine_kwargs={"connect_args": {"timeout": SQLITE_SECONDS}} if is_sqlite else {},
            heartbeat_interval=HEARTBEAT_SECONDS,
            grace_period=GRACE_SECONDS,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=RETRIES),
            skip_table_creation=not create,
        )


def shown(url: str) -> str:
    """The URL without its password."""
    return make_url(url).render_as_string(hide_password=True)


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn what a database raises into one line."""
    try:
        yield
    except DuplicatedStudyError:
        raise
    except (SQLAlchemyError, StorageInternalError, ImportError) as error:
        cause = error.__cause__ or error
        reason = str(cause).strip().splitlines()[0].rstrip(".")
        try:
            place = shown(url)
        except SQLAlchemyError:
            place = repr(url)
        raise StorageError(
            f"sweep storage {place}: {reason}. What was finished is not lost: mend this and run "
            "the same command again."
        ) from None

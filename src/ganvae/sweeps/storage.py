"""The database that a study's workers share, and errors from it in one line."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import optuna
from optuna.exceptions import DuplicatedStudyError, StorageInternalError
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from sqlalchemy import URL, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, ProgrammingError, SQLAlchemyError

from ganvae.core.errors import UserError

RETRIES = 10
"""How often a trial is taken up again after its worker died, before it is given up."""

HEARTBEAT_SECONDS = 30
GRACE_SECONDS = 90
"""A running trial without a heartbeat for so long has lost its worker."""

SQLITE_SECONDS = 60.0
"""How long a process waits for another one's lock on a SQLite file."""

TABLE_ATTEMPTS = 10
TABLE_SECONDS = 0.5
"""How often tables are tried that others make at this moment, and the time in between."""

FIRST_HEARTBEATS = text(
    "INSERT INTO trial_heartbeats (trial_id, heartbeat) "
    "SELECT trial_id, CURRENT_TIMESTAMP FROM trials WHERE study_id = :study "
    "AND state = 'RUNNING' AND trial_id NOT IN (SELECT trial_id FROM trial_heartbeats)"
)


class StorageError(UserError):
    """The storage cannot be reached, read or written."""


class Storage(RDBStorage):
    """Optuna's storage, with heartbeats that do not end too early or never begin."""

    def record_heartbeat(self, trial_id: int) -> None:
        """Go on after a beat that the database missed: else that would have been the last."""
        with suppress(StorageInternalError):
            super().record_heartbeat(trial_id)

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        """Trials whose last heartbeat is too long ago.

        To Optuna a trial whose worker died before the first beat runs for ever, and all workers
        would wait for it in the end. Here it gets that beat now, which grows old like any.
        """
        with suppress(IntegrityError), self.engine.begin() as connection:
            connection.execute(FIRST_HEARTBEATS, {"study": study_id})
        return super()._get_stale_trial_ids(study_id)


def open_storage(url: str, *, create: bool) -> Storage:
    """Connect to ``url``, any that Optuna's RDBStorage takes.

    Args:
        create: make the tables if there are none.

    Raises:
        StorageError: it cannot be reached, or there is none yet and it is not to be made.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # its warnings have tracebacks, of Ctrl-C
    parsed = _parsed(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite and not create and not Path(parsed.database or "").is_file():
        raise _none_there(url)
    with explained(url, ImportError):  # of a driver
        for _ in range(TABLE_ATTEMPTS - 1):
            try:
                return _connected(url, is_sqlite=is_sqlite, create=create)
            except (SQLAlchemyError, StorageInternalError) as error:
                cause = error.__cause__ or error
                if not create and (
                    isinstance(cause, ProgrammingError) or "no such table" in str(cause)
                ):
                    raise _none_there(url) from None
                if not isinstance(cause, IntegrityError) and "already exists" not in str(cause):
                    raise
            time.sleep(TABLE_SECONDS)
        return _connected(url, is_sqlite=is_sqlite, create=create)


def _connected(url: str, *, is_sqlite: bool, create: bool) -> Storage:
    timeout = {"connect_args": {"timeout": SQLITE_SECONDS}}
    try:
        return Storage(
            url.replace("{", "{{").replace("}", "}}"),  # Optuna takes it as a template
            engine_kwargs=timeout if is_sqlite else {"pool_pre_ping": True},  # servers restart
            heartbeat_interval=HEARTBEAT_SECONDS,
            grace_period=GRACE_SECONDS,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=RETRIES),
            skip_table_creation=not create,
        )
    except RuntimeError as error:  # made by another version of Optuna
        raise StorageError(f"sweep storage {shown(url)}: {error}") from None


def _none_there(url: str) -> StorageError:
    return StorageError(
        f"there is no sweep storage at {shown(url)}: `ganvae sweep create` makes one."
    )


def shown(url: str) -> str:
    """The URL without its password."""
    return _parsed(url).render_as_string(hide_password=True)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # it may have a password in it: not shown
        raise StorageError(
            "--storage is not a database's URL: give one such as sqlite:///sweeps.db or "
            "postgresql+psycopg://user:password@host/database."
        ) from None


@contextmanager
def explained(url: str, *more: type[Exception]) -> Iterator[None]:
    """Turn what a database raises, or ``more``, into one line."""
    known: tuple[type[Exception], ...] = (SQLAlchemyError, StorageInternalError, *more)
    try:
        yield
    except DuplicatedStudyError:
        raise
    except known as error:
        cause = error.__cause__ or error
        reason = str(cause).strip().splitlines()[0].rstrip(".")
        raise StorageError(
            f"sweep storage {shown(url)}: {reason}. What was finished is not lost: mend this and "
            "run the same command again."
        ) from None

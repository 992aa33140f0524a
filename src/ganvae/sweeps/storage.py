"""Open the database that a study's workers share, and turn its errors into one-line messages."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import optuna
from optuna.exceptions import DuplicatedStudyError, StorageInternalError
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from sqlalchemy import URL, Engine, ExceptionContext, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)

from ganvae.core.databases import with_limits
from ganvae.core.errors import UserError

RETRIES = 10
"""The number of retries of a trial whose worker died, before the trial is given up."""

HEARTBEAT_SECONDS = 30
GRACE_SECONDS = 90
"""Seconds without a heartbeat after which a running trial counts as lost with its worker."""

SQLITE_SECONDS = 4.0
"""Seconds that one request waits for a SQLite file that another process has locked.

A worker makes up to four requests before it gives up.
"""

TABLE_ATTEMPTS = 10
TABLE_SECONDS = 0.5
"""The number of attempts to open tables that another process creates; the seconds between them."""

FIRST_HEARTBEATS = text(
    "INSERT INTO trial_heartbeats (trial_id, heartbeat) "
    "SELECT trial_id, CURRENT_TIMESTAMP FROM trials WHERE study_id = :study "
    "AND state = 'RUNNING' AND trial_id NOT IN (SELECT trial_id FROM trial_heartbeats)"
)


DATABASE_ERRORS = (SQLAlchemyError, StorageInternalError)
FOLLOWING_ERRORS = (UnboundLocalError, AssertionError)
"""Errors that Optuna raises after a database error, if it cannot read the state of a trial."""


class StorageError(UserError):
    """An error of a storage that cannot be reached, read or written."""


class Storage(RDBStorage):
    """Optuna's storage, with heartbeats for every running trial, even after a failed write."""

    def record_heartbeat(self, trial_id: int) -> None:
        """Record a heartbeat of a trial, and ignore a failed write.

        In Optuna, a failed write would end the trial's heartbeats.
        """
        with suppress(StorageInternalError):
            super().record_heartbeat(trial_id)

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        """Return the ids of the running trials whose last heartbeat is too old.

        If a worker dies before its first heartbeat, Optuna treats the worker's trial as running
        forever. All other workers would then wait for this trial. So a running trial without a
        heartbeat gets its first heartbeat here.
        """
        with suppress(IntegrityError), self.engine.begin() as connection:
            connection.execute(FIRST_HEARTBEATS, {"study": study_id})
        return super()._get_stale_trial_ids(study_id)


def open_storage(url: str, *, create: bool) -> Storage:
    """Connect to the storage at ``url``, which may be any URL that Optuna's RDBStorage accepts.

    Args:
        create: create the tables if they are missing.

    Raises:
        StorageError: the storage cannot be reached, or is missing and ``create`` is false.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # its warnings print tracebacks after Ctrl-C
    parsed = _parsed(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite and not create and not Path(parsed.database or "").is_file():
        raise _missing(url)
    with explained(url, ImportError):  # a driver may be missing
        for _ in range(TABLE_ATTEMPTS - 1):
            try:
                return _connected(url, is_sqlite=is_sqlite, create=create)
            except (SQLAlchemyError, StorageInternalError) as error:
                cause = error.__cause__ or error
                if not create and (
                    isinstance(cause, ProgrammingError) or "no such table" in str(cause)
                ):
                    raise _missing(url) from None
                if not isinstance(cause, IntegrityError) and "already exists" not in str(cause):
                    raise
            time.sleep(TABLE_SECONDS)
        return _connected(url, is_sqlite=is_sqlite, create=create)


def _connected(url: str, *, is_sqlite: bool, create: bool) -> Storage:
    timeout = {"connect_args": {"timeout": SQLITE_SECONDS}}
    template = with_limits(url).replace("{", "{{").replace("}", "}}")  # Optuna formats it
    try:
        storage = Storage(
            template,
            engine_kwargs=timeout if is_sqlite else {"pool_pre_ping": True},  # servers may restart
            heartbeat_interval=HEARTBEAT_SECONDS,
            grace_period=GRACE_SECONDS,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=RETRIES),
            skip_table_creation=not create,
        )
    except RuntimeError as error:  # another version of Optuna created the storage
        raise StorageError(f"sweep storage {shown(url)}: {error}") from None
    _announce_waits(storage.engine, url)
    return storage


def _announce_waits(engine: Engine, url: str) -> None:
    """Print a line after each request that failed because the storage did not answer in time."""

    @event.listens_for(engine, "handle_error")
    def announce(context: ExceptionContext) -> None:
        if isinstance(context.sqlalchemy_exception, OperationalError) and not context.is_pre_ping:
            reason = _first_line(context.original_exception)
            print(f"waiting for sweep storage {shown(url)}: {reason}", flush=True)


def _missing(url: str) -> StorageError:
    return StorageError(
        f"there is no sweep storage at {shown(url)}. If it was deleted, only the trials in "
        "results/sweeps/ are left. Create a storage with `ganvae sweep create`."
    )


def shown(url: str) -> str:
    """Return the URL without its password."""
    return _parsed(url).render_as_string(hide_password=True)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # not shown, since it may hold a password
        raise StorageError(
            "--storage is not the URL of a database. Give a URL such as sqlite:///sweeps.db or "
            "postgresql+psycopg://user:password@host/database."
        ) from None


@contextmanager
def explained(url: str, *more: type[Exception]) -> Iterator[None]:
    """Turn database errors inside the `with` block into a `StorageError` with a one-line message.

    Args:
        url: the storage's URL, which the message shows without its password.
        more: further types of errors to turn into a `StorageError`.
    """
    known: tuple[type[Exception], ...] = (*DATABASE_ERRORS, *FOLLOWING_ERRORS, *more)
    try:
        yield
    except DuplicatedStudyError:
        raise
    except known as error:
        found = error if isinstance(error, more) else database_error(error)
        if found is None:
            raise
        reason = _first_line(_first_failure(found))
        raise StorageError(
            f"sweep storage {shown(url)}: {reason}. Finished trials are not lost. Fix this "
            "problem, and run the same command again."
        ) from None


def database_error(error: BaseException) -> BaseException | None:
    """Return the database error that ``error`` is or follows from. None for any other error."""
    found = error.__context__ if isinstance(error, FOLLOWING_ERRORS) else error
    return found if isinstance(found, DATABASE_ERRORS) else None


def _first_failure(error: BaseException) -> BaseException:
    """Return the error of the first request that failed. Optuna may have made more requests."""
    first, earlier = error.__cause__ or error, error.__cause__ or error.__context__
    while earlier:
        first = earlier if isinstance(earlier, SQLAlchemyError) else first
        earlier = earlier.__cause__ or earlier.__context__
    return first


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")

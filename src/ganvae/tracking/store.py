"""Find MLflow's store, and connect to the store. Only one process at a time is connected."""

import logging
import math
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import URL, NullPool, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ganvae.core.databases import with_limits
from ganvae.core.errors import UserError
from ganvae.core.files import replacing
from ganvae.core.lock import in_turn
from ganvae.core.paths import checkout_root
from ganvae.tracking.places import mend_places

if TYPE_CHECKING:  # importing it takes a second and would delay the server
    from mlflow import MlflowClient

LOCK_SECONDS = 120.0
"""Seconds that work that can go on without MLflow waits for other connected processes."""

NOTICE_SECONDS = 2.0
"""Seconds of waiting before a line says what this process waits for."""

DATABASE_SECONDS = 10.0
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0
SQLITE = "sqlite+pysqlite"
NO_QUERY: Mapping[str, Any] = {}
NOISY_LOGGERS = ("mlflow", "alembic", "urllib3")


class TrackingError(UserError):
    """The error that the store cannot be reached, read or written. `results/` is not affected."""


@dataclass(frozen=True)
class Store:
    """A tracking store of MLflow: a database or a server.

    Attributes:
        uri: the store's address, in the form that MLflow needs.
        artifacts: the folder for the files of new experiments. None if the store is a server,
            which chooses the folder itself.
        lock: a lock file, which only one connected process at a time can hold.
        sqlite_file: the absolute path of an SQLite database. None for any other store.
    """

    uri: str
    artifacts: Path | None
    lock: Path
    sqlite_file: Path | None = None

    @property
    def is_server(self) -> bool:
        return self.artifacts is None

    @property
    def is_postgresql(self) -> bool:
        return urlsplit(self.uri).scheme.startswith("postgresql")

    @property
    def address(self) -> str:
        """The store's URI for MLflow, with limits on the time that MLflow waits for an answer."""
        return with_limits(self.uri) if self.is_postgresql else self.uri

    def __str__(self) -> str:
        """Return the URI in a readable form, with any password replaced by ``***``."""
        file = self.sqlite_file
        return f"sqlite:///{file}" if file else _without_password(self.uri)


def find_store(uri: str | None = None) -> Store:
    """Return the store at ``uri``.

    Without ``uri``, the environment variable ``MLFLOW_TRACKING_URI`` gives the address. Without
    this variable, the store is the file ``mlflow.db`` in the repository. The variable ``DVC_ROOT``
    overrides the repository's path. So experiments that DVC runs in temporary folders use the
    repository's database.
    """
    root = Path(os.environ.get("DVC_ROOT") or checkout_root())
    default = root / "mlflow.db"
    uri = uri or os.environ.get("MLFLOW_TRACKING_URI") or _sqlite_uri(default)
    lock = default.with_name("mlflow.db.lock")
    if urlsplit(uri).scheme in ("http", "https"):
        return Store(uri.rstrip("/"), artifacts=None, lock=lock)
    url = _sqlite_url(uri)
    if not (url and url.database):
        return Store(uri, artifacts=root / "mlartifacts", lock=lock)
    file = Path(url.database).absolute()
    return Store(
        _sqlite_uri(file, url.query),
        artifacts=file.with_name("mlartifacts"),
        lock=file.with_name(f"{file.name}.lock"),
        sqlite_file=file,
    )


@contextmanager
def connected(store: Store, patience: float = math.inf) -> "Iterator[MlflowClient]":
    """Connect to ``store``, and yield an MLflow client.

    A missing database is created. Other processes that connect wait until the connection ends. A
    process asks a server for an answer before it waits for its turn. So all processes notice a
    silent server at the same time.

    Args:
        patience: how many seconds to wait for other connected processes.

    Raises:
        TrackingError: the store cannot be reached, read or written, or other processes were
            connected for too long.
    """
    from mlflow import MlflowClient

    with _explained(store), _quiet():
        _check_answers(store)
        busy = f"waiting for another process that writes to MLflow at {store}"
        with in_turn(store.lock, busy, notice=NOTICE_SECONDS, patience=patience) as waited:
            if waited:
                _check_answers(store)
            if store.sqlite_file and store.artifacts:
                _prepare(store.sqlite_file)
                mend_places(store.sqlite_file, store.artifacts)
            yield MlflowClient(store.address)


def _without_password(text: str) -> str:
    return re.sub(r"(://[^:/@\s]*):[^@/\s]*@", r"\1:***@", text)


def _sqlite_url(uri: str) -> URL | None:
    """Parse the URI of an SQLite database. None for any other store."""
    try:
        url = make_url(uri)
    except (ArgumentError, ValueError):
        return None
    return url if url.get_backend_name() == "sqlite" else None


def _sqlite_uri(file: Path, query: Mapping[str, Any] = NO_QUERY) -> str:
    """Return a URI of an SQLite database for MLflow, with ``#``, ``?`` and ``%`` as ``%23`` etc.

    The URI names the driver, because MLflow creates the folder of ``sqlite:///`` URIs without
    decoding its name.
    """
    return URL.create(SQLITE, database=str(file), query=query).render_as_string()


def _prepare(database: Path) -> None:
    """Create a missing SQLite database, and check that the database can be written to.

    The database is created under another name and then renamed, because an incomplete schema could
    not be repaired. Without the check, MLflow would retry a failed write for minutes.
    """
    from mlflow import MlflowClient

    if not database.exists():
        unfinished = database.with_name(f"{database.name}.new")
        unfinished.unlink(missing_ok=True)
        MlflowClient(_sqlite_uri(unfinished)).search_experiments(max_results=1)
        with replacing(database) as temporary:
            unfinished.rename(temporary)
    with closing(sqlite3.connect(database, timeout=DATABASE_SECONDS)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()


def _check_answers(store: Store) -> None:
    """Check that a server answers, because MLflow itself waits for a silent server for minutes.

    Raises:
        OSError, SQLAlchemyError: the server does not answer.
    """
    if not (store.is_server or store.is_postgresql):
        return
    notice = Timer(NOTICE_SECONDS, print, [f"waiting for MLflow at {store}"], {"flush": True})
    notice.start()
    try:
        if store.is_server:
            _ask_server(store.uri)
        else:
            create_engine(store.address, poolclass=NullPool).connect().close()
    finally:
        notice.cancel()


def _ask_server(uri: str) -> None:
    import requests

    try:
        requests.get(f"{uri}/health", timeout=(CONNECT_SECONDS, ANSWER_SECONDS))
    except requests.ConnectTimeout:
        raise OSError(f"no connection in {CONNECT_SECONDS:.0f} s") from None
    except requests.Timeout:
        raise OSError(f"no answer in {ANSWER_SECONDS:.0f} s") from None
    except requests.ConnectionError:
        raise OSError("no server answers at this address") from None


@contextmanager
def _explained(store: Store) -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, SQLAlchemyError, sqlite3.Error, ImportError, OSError) as error:
        message = str(error).strip() or type(error).__name__
        reason = _without_password(message.splitlines()[0].rstrip("."))
    else:
        return
    raise TrackingError(
        f"MLflow at {store}: {reason}. Nothing in results/ is lost. Fix this problem, and run "
        "`ganvae sync` again."
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide the log messages of MLflow and its libraries. Errors are still raised."""
    loggers = [logging.getLogger(name) for name in NOISY_LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)

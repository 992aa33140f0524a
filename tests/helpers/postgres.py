"""A PostgreSQL server for tests in which several machines share a database.

pytest-postgresql starts the server as the user who runs the tests. In most containers this user is
root, which PostgreSQL refuses. So the server here runs as another user.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from programs import skip_without

CLUSTER = ("--username=tester", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
SERVER = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",  # no data must survive a crash
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server on this machine, as ``user@host:port``."""
    with postgresql() as address:
        yield address


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database for one test."""
    with database(postgres) as url:
        yield url


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a server on this machine, as ``user@host:port``. It stops even if this process dies."""
    programs = server_programs()
    if programs is None:
        skip_without("PostgreSQL server", "postgresql")
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))  # other users cannot read pytest's folders
    try:
        with _server(programs, folder) as address:
            yield address
    finally:
        shutil.rmtree(folder)


@contextmanager
def database(address: str) -> Iterator[str]:
    """Create an empty database on a server, and return its SQLAlchemy URL."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(f"postgresql://{address}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        yield f"postgresql+psycopg://{address}/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def server_programs() -> Path | None:
    """The folder with ``initdb`` and ``postgres``. In Debian it is not in the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2]))
    in_path = shutil.which("initdb")
    folders = [*([Path(in_path).resolve().parent] if in_path else []), *reversed(debian)]
    return next((folder for folder in folders if (folder / "initdb").is_file()), None)


def _account() -> pwd.struct_passwd:
    """The account that runs the server: the current user, or another account instead of root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    names = {account.pw_name for account in pwd.getpwall()}
    return pwd.getpwnam("postgres" if "postgres" in names else "nobody")


@contextmanager
def _server(programs: Path, folder: Path) -> Iterator[str]:
    account = _account()
    os.chown(folder, account.pw_uid, account.pw_gid)
    data = folder / "data"

    def start(*command: str | Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            # the kernel stops the server if pytest is killed
            ["setpriv", "--pdeathsig", "INT", "--", *command],
            user=account.pw_uid,
            group=account.pw_gid,
            cwd=folder,
            stdout=log,
            stderr=log,
        )

    with (folder / "log").open("wb") as log:
        initdb = start(programs / "initdb", *CLUSTER, data)
        assert initdb.wait() == 0, (folder / "log").read_text()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        settings = [f"--{name}={value}" for name, value in SERVER.items()]
        server = start(programs / "postgres", "-D", data, "-p", str(port), *settings)
        try:
            address = f"tester@127.0.0.1:{port}"
            _wait_for(address, server, folder / "log")
            yield address
        finally:
            server.send_signal(signal.SIGINT)  # also ends the connections that are still open
            server.wait()


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server accepts connections.

    Raises:
        AssertionError: it ends or does not accept them; the message is the server's log.
    """
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(f"postgresql://{address}/postgres").close()
            return
        except psycopg.OperationalError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)

"""Start servers on this machine for tests."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

SECONDS = 120


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@contextmanager
def ganvae_ui() -> Iterator[tuple[str, list[str]]]:
    """Run `ganvae ui` in the working directory. Yields its address and output after its sync."""
    port = free_port()
    command = [sys.executable, "-c", "from ganvae.cli import app; app()", "ui", "--port", str(port)]
    with running(command, port, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        printed = list(until(lambda line: line.startswith("mnist ("), server.stdout))
        yield f"http://127.0.0.1:{port}", printed
    printed += server.stdout


def until(last: Callable[[str], bool], lines: Iterable[str]) -> Iterator[str]:
    """The lines up to and including the first one for which ``last`` is true."""
    for line in lines:
        yield line
        if last(line):
            return


@contextmanager
def running(command: list[str], port: int, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run ``command`` until the block ends. The block starts when MLflow answers on ``port``."""
    server = subprocess.Popen(command, start_new_session=True, **options)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", server)
        yield server
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def _wait_for(url: str, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            urlopen(url, timeout=1).close()
            return
        except OSError:
            assert server.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.2)

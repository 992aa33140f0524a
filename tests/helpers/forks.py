"""Run Python scripts and commands in tests without waiting seconds for their imports.

Tests of imports, of signals or of separate processes still need a new process.
"""

import atexit
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import warm_python

ROOT = Path(__file__).parents[2]
PRELOADED = [ROOT / "tests/helpers/preloaded.py", *sorted(ROOT.glob("stages/*.py"))]


def python(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Like ``subprocess.run([sys.executable, *arguments], capture_output=True, text=True)``.

    Args:
        arguments: a script, or ``-c`` and code, followed by arguments.
    """
    command = list(map(str, arguments))
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        with Path(os.devnull).open() as nothing:
            status = warm_python.ask(
                _server(),
                [stream.fileno() for stream in (nothing, out, errors)],
                command=command,
                cwd=str(cwd or Path.cwd()),
                env=dict(os.environ if env is None else env),
            )
        for stream in (out, errors):
            stream.seek(0)
        return subprocess.CompletedProcess(command, status, out.read(), errors.read())


@cache
def _server() -> str:
    """The socket of this process's server. The server ends with this process."""
    address = str(Path(tempfile.mkdtemp()) / "socket")
    command = [sys.executable, warm_python.__file__, "serve", address, *map(str, PRELOADED)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    atexit.register(server.kill)
    assert server.stdout is not None
    assert server.stdout.readline() == warm_python.READY
    return address


def ganvae(*arguments: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the command line ``ganvae``."""
    return python("-c", "from ganvae.cli import app; app()", *arguments, cwd=cwd)

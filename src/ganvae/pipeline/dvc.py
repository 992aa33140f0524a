"""Run DVC, in one process or in several processes at the same time."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from ganvae.core.errors import UserError
from ganvae.core.live import LOG_SECONDS
from ganvae.pipeline.owner import owned
from ganvae.pipeline.stage import COLLECT

if TYPE_CHECKING:
    from ganvae.pipeline.board import Board

DVC = (sys.executable, "-m", "ganvae.pipeline.quick_dvc")
COPY = re.compile(r"\.[\w-]{22}\.tmp")
"""The name of a file that DVC has begun to copy."""
COPY_SECONDS = 10.0
BUSY = "is busy, it is being blocked by"
"""What DVC says if another DVC works on the same files. Its ``--wait-for-lock`` does not wait."""
POLL_SECONDS = 2.0
GRACE = 10.0  # seconds between interrupting a child and killing it


def run_dvc(*arguments: str, root: Path = Path()) -> str:
    """Run DVC in the folder ``root`` and return its output. Wait for another DVC at work there.

    Raises:
        UserError: DVC failed; the message contains DVC's output.
    """
    waited = False
    while BUSY in (process := _run(arguments, root)).stderr:
        if not waited:
            print("waiting for another DVC process that works in this clone", flush=True)
        waited = True
        time.sleep(POLL_SECONDS)
    if "git repository" in process.stderr and not (root / ".git").exists():
        raise UserError(
            f"{root.resolve()} has no folder `.git`, so DVC refuses to run. Run "
            "`dvc config --local core.no_scm true`, and then the same command again."
        )
    if process.returncode:
        raise UserError(f"`dvc {' '.join(arguments)}` failed:\n{process.stdout}{process.stderr}")
    return process.stdout


def _run(arguments: Iterable[str], root: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*DVC, *arguments], cwd=root, capture_output=True, text=True, check=False)


def remove_begun_copies(folders: Iterable[Path]) -> None:
    """Remove what a killed DVC has left of copies in these folders. DVC itself leaves them there.

    Files younger than `COPY_SECONDS` may belong to a DVC at work, so they stay.
    """
    for folder in folders:
        for path in folder.rglob(".*.tmp"):
            with suppress(FileNotFoundError):  # it was the copy of a DVC at work
                if COPY.fullmatch(path.name) and time.time() - path.stat().st_mtime > COPY_SECONDS:
                    path.unlink()


class Children:
    """The running DVC processes. The board shows each line of output with the process's name."""

    def __init__(self, board: "Board") -> None:
        self.board = board
        self._running: set[subprocess.Popen[str]] = set()
        self._ended = False
        self._lock = Lock()

    def run(self, name: str, arguments: Iterable[str], collect: bool = False) -> None:
        """Run ``dvc repro`` with these arguments and wait until the DVC process ends.

        Args:
            name: the training run or stage whose name the board prints before each line.
            collect: get all results from DVC's cache, and refuse to compute any.

        Raises:
            UserError: DVC failed.
        """
        with self._lock:
            if self._ended:
                return
            process = subprocess.Popen(
                [*DVC, "--wait-for-lock", "repro", *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # one process group with its stage, for signals
                env=os.environ
                | {
                    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                    LOG_SECONDS: str(self.board.step_seconds),
                }
                | owned()
                | ({COLLECT: "1"} if collect else {}),
            )
            self._running.add(process)
        assert process.stdout is not None
        for line in process.stdout:
            if not self._ended:
                self.board.line(name, line)
        failed = process.wait() != 0
        with self._lock:
            self._running.discard(process)
        if failed and not self._ended:
            raise UserError(f"{name} failed. See the output of {name} above.")

    def end(self) -> None:
        """End all DVC processes and their stages, and stop `run` from starting more processes."""
        with self._lock:
            self._ended = True
            running = list(self._running)
        try:
            _signal(running, signal.SIGINT)  # training runs keep their checkpoints intact
            deadline = time.monotonic() + GRACE
            for process in running:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, deadline - time.monotonic()))
        finally:  # also after a second Ctrl-C
            _signal(running, signal.SIGKILL)


def _signal(processes: Iterable["subprocess.Popen[str]"], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)

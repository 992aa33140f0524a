"""Running DVC."""

import os
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

if TYPE_CHECKING:
    from ganvae.pipeline.board import Board

# DVC parses params.yaml anew for each stage that watches it, which is most of the time that
# nothing to do takes; one parse is enough.
QUICK_DVC = """
import sys
from functools import cache
from dvc.cli import main
from dvc.dependency import param
param.load_path = cache(param.load_path)
sys.exit(main(sys.argv[1:]))
"""
DVC = (sys.executable, "-c", QUICK_DVC)
GRACE = 10.0  # seconds between asking a child to end and ending it


def run_dvc(*arguments: str, root: Path = Path()) -> str:
    """Run DVC in ``root`` and return its output.

    Raises:
        UserError: it failed; the message has its output.
    """
    process = subprocess.run(
        [*DVC, *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    if process.returncode:
        raise UserError(f"`dvc {' '.join(arguments)}` failed:\n{process.stdout}{process.stderr}")
    return process.stdout


class Children:
    """The DVC processes that are running; each line of theirs says whose it is."""

    def __init__(self, board: "Board") -> None:
        self.board = board
        self._running: set[subprocess.Popen[str]] = set()
        self._ended = False
        self._lock = Lock()

    def run(self, name: str, arguments: Iterable[str]) -> None:
        """Wait for ``dvc repro`` with these arguments.

        Raises:
            UserError: it failed.
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
                start_new_session=True,  # a group of its own, with the stage it runs
                env=os.environ
                | {
                    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                    LOG_SECONDS: str(self.board.step_seconds),
                },
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
            raise UserError(f"{name} failed; see above.")

    def end(self) -> None:
        """End all that is running, with the stages that DVC has started, and start no more."""
        with self._lock:
            self._ended = True
            running = list(self._running)
        try:
            _signal(running, signal.SIGINT)  # a training leaves its checkpoint whole
            deadline = time.monotonic() + GRACE
            for process in running:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, deadline - time.monotonic()))
        finally:  # after a second Ctrl-C too
            _signal(running, signal.SIGKILL)


def _signal(processes: Iterable["subprocess.Popen[str]"], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)

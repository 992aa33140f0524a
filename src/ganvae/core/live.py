"""Live logs: files to which a training run appends its losses.

Other processes read a live log while the training run writes to the file.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from ganvae.core.errors import UserError
from ganvae.core.files import write_text
from ganvae.core.paths import checkout_root

FOLDER = Path(".state/live")
"""The folder of live logs, relative to the repository's root.

The live log of a training run is the file ``<profile>/<run>.jsonl`` in this folder.
"""

LOG_SECONDS = "GANVAE_LOG_SECONDS"
"""The environment variable that sets the interval between two progress lines, in seconds.

Progress lines are printed if training runs without a terminal.
"""
WAIT_SECONDS = 2.0
RECENT_SECONDS = 60.0
"""If a live log changed within this number of seconds, its training run may still be active."""


@dataclass(frozen=True)
class LiveRun:
    """The first line of a live log: a description of the training run.

    ``fingerprint`` is a checksum of everything that decides the final weights. ``started`` is the
    start of the training run in Unix time. ``samples`` is the folder of the sample grids,
    ``step-*.png``, drawn during training.
    """

    profile: str
    run: str
    variant: str
    family: str
    seed: int
    dataset: str
    config: dict[str, Any]
    fingerprint: str
    started: float
    samples: str


class LiveLog:
    """A writer of the live log of one training run. A resumed training run continues its old log.

    The first line is a `LiveRun`. Each further line is one row of losses with its Unix ``time``.
    Steps increase from row to row. So a training run that resumes after a crash writes no row
    twice. If the live log cannot be written, there is a warning and no live log.
    """

    def __init__(self, root: Path, run: LiveRun) -> None:
        self._path = root / FOLDER / run.profile / f"{run.run}.jsonl"
        self._last = -1.0
        self._file: TextIO | None = None
        try:
            self._file = self._opened(root, run)
        except (OSError, UserError) as error:
            self._give_up(error)

    def _opened(self, root: Path, run: LiveRun) -> TextIO:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        known, rows, _ = read_live(self._path) if self._path.exists() else NOTHING
        same = known is not None and known.fingerprint == run.fingerprint
        resumed = same and (root / run.samples).exists()  # else the run starts from step 0
        self._last = rows[-1]["step"] if resumed and rows else -1
        lines = [json.dumps(asdict(known if resumed and known else run))]
        lines += map(json.dumps, rows) if resumed else []
        write_text(self._path, "".join(f"{line}\n" for line in lines))
        return self._path.open("a", encoding="utf-8", buffering=1)

    def add(self, row: Mapping[str, float]) -> None:
        """Append a row of losses, unless the live log already has this step or a later step."""
        if self._file and row["step"] > self._last:
            try:
                self._file.write(json.dumps({"time": time.time(), **row}) + "\n")
            except OSError as error:
                self._give_up(error)

    def close(self) -> None:
        if self._file:
            with suppress(OSError):  # of a row that is lost
                self._file.close()

    def _give_up(self, error: Exception) -> None:
        """Warn and write no further rows: a training is worth more than its live log."""
        self.close()
        self._file = None
        print(
            f"warning: MLflow will not show this training before it ends ({self._path}: {error})",
            file=sys.stderr,
        )


class LiveRows(NamedTuple):
    """The contents of a live log. ``end`` is the byte where the next row will begin."""

    run: LiveRun | None
    rows: list[dict[str, float]]
    end: int


NOTHING = LiveRows(None, [], 0)


def read_live(path: Path, known: LiveRun | None = None, start: int = 0) -> LiveRows:
    """Read the first line of a live log, and the rows of losses from byte ``start`` on.

    Read all rows if ``known`` is None or differs from the log's `LiveRun`. Leave an incomplete
    last line for the next call. Return `NOTHING` if the file is unreadable or not a live log.
    """
    try:
        with path.open("rb") as file:
            first = file.readline()
            run = LiveRun(**json.loads(first))
            start = max(start, len(first)) if run == known else len(first)
            file.seek(start)
            whole, newline, _ = file.read().rpartition(b"\n")
        rows = [_row(line) for line in whole.splitlines()]
    except (OSError, ValueError, TypeError):
        return NOTHING
    return LiveRows(run, rows, start + len(whole) + len(newline))


def _row(line: bytes) -> dict[str, float]:
    row = dict(json.loads(line))
    numbers = all(isinstance(value, int | float) for value in row.values())
    if not (numbers and {"time", "step"} <= row.keys()):
        raise ValueError(f"not a row of losses: {line!r}")
    return row


def start_follower() -> "subprocess.Popen[bytes]":
    """Start a process, the follower, that shows live logs in MLflow.

    The follower ends soon after this process ends. MLflow takes 140 MB of memory, so the follower
    loads MLflow only when a live log changes.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "ganvae.core.live", str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # so Ctrl-C does not reach the follower
    )


def _wait_and_follow(parent: int) -> None:
    """Wait for a change of a live log, then start the follower. Stop if process ``parent`` ends."""
    folder = checkout_root() / FOLDER
    since = time.time() - RECENT_SECONDS
    while os.getppid() == parent:
        if any(path.stat().st_mtime > since for path in folder.glob("*/*.jsonl")):
            command = [sys.executable, "-m", "ganvae.tracking.follower", str(parent)]
            os.execv(sys.executable, command)
        time.sleep(WAIT_SECONDS)


if __name__ == "__main__":
    _wait_and_follow(int(sys.argv[1]))

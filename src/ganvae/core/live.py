"""A training run as it goes on: rows of losses, appended to a file that others may follow."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ganvae.core.files import write_text
from ganvae.core.paths import checkout_root

FOLDER = Path(".state/live")
"""One file a run: ``<profile>/<run>.jsonl``, relative to the repository's root."""

LOG_SECONDS = "GANVAE_LOG_SECONDS"
"""Environment variable: a training without a terminal says so often, in seconds, how far it is."""
WAIT_SECONDS = 2.0
RECENT_SECONDS = 60.0
"""A log that was written to so short a time ago may be that of a training going on."""


@dataclass(frozen=True)
class LiveRun:
    """The first line of a live log.

    ``fingerprint`` is that of all which decides the run's weights; ``started`` is in Unix time,
    and ``samples`` the folder of sample grids ``step-*.png`` while it trains.
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
    """Writes one run's file; a run that is taken up again goes on in it.

    Each further line is one row of losses with its Unix ``time``; steps only go up, as a row that
    was written before a crash is not written again.
    """

    def __init__(self, root: Path, run: LiveRun) -> None:
        path = root / FOLDER / run.profile / f"{run.run}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        known, rows, _ = read_live(path) if path.exists() else NOTHING
        same = known is not None and known.fingerprint == run.fingerprint
        goes_on = same and (root / run.samples).exists()  # else it is trained anew
        self._last = rows[-1]["step"] if goes_on and rows else -1
        whole = [json.dumps(asdict(known))] if goes_on and known else [json.dumps(asdict(run))]
        whole += map(json.dumps, rows) if goes_on else []
        write_text(path, "".join(f"{line}\n" for line in whole))
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def add(self, row: Mapping[str, float]) -> None:
        """Append a row of the history."""
        if row["step"] > self._last:
            self._file.write(json.dumps({"time": time.time(), **row}) + "\n")

    def close(self) -> None:
        self._file.close()


class LiveRows(NamedTuple):
    """What was read of a live log: its run, rows, and the byte where the next ones will begin."""

    run: LiveRun | None
    rows: list[dict[str, float]]
    end: int


NOTHING = LiveRows(None, [], 0)


def read_live(path: Path, known: LiveRun | None = None, start: int = 0) -> LiveRows:
    """The run, and its rows from byte ``start`` on if the run is still the one ``known``.

    If it is another one, or nothing is known, all rows are read. A last line that is not whole yet
    is left for the next time. What is no live log, or cannot be read, is `NOTHING`.
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
    """Start the process that shows live logs in MLflow; it ends soon after this one has.

    Until a log changes it is a small one: MLflow takes 140 MB.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "ganvae.core.live", str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is this process's business
    )


def _wait_and_follow(parent: int) -> None:
    """Become the follower as soon as anything is trained, if ``parent`` is still there then."""
    folder = checkout_root() / FOLDER
    since = time.time() - RECENT_SECONDS
    while os.getppid() == parent:
        if any(path.stat().st_mtime > since for path in folder.glob("*/*.jsonl")):
            command = [sys.executable, "-m", "ganvae.tracking.follower", str(parent)]
            os.execv(sys.executable, command)
        time.sleep(WAIT_SECONDS)


if __name__ == "__main__":
    _wait_and_follow(int(sys.argv[1]))

"""A training run as it goes on: rows of losses, appended to a file that others may follow."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(".state/live")
"""One file a run: ``<profile>/<run>.jsonl``, relative to the repository's root."""


@dataclass(frozen=True)
class LiveRun:
    """The first line of a live log.

    ``fingerprint`` is that of all which decides the run's weights; ``started`` is in Unix time,
    and ``samples`` the folder of sample grids ``step-*.png`` while it trains.
    """

    profile: str
    run: str
    model: str
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
        known, rows = read_live(path) if path.exists() else (None, [])
        goes_on = known is not None and known.fingerprint == run.fingerprint
        self._last = rows[-1]["step"] if goes_on and rows else -1
        whole = [json.dumps(asdict(known))] if goes_on and known else [json.dumps(asdict(run))]
        whole += map(json.dumps, rows) if goes_on else []
        path.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def add(self, row: Mapping[str, float]) -> None:
        """Append a row of the history."""
        if row["step"] > self._last:
            self._file.write(json.dumps({"time": time.time(), **row}) + "\n")

    def close(self) -> None:
        self._file.close()


def read_live(path: Path) -> tuple[LiveRun | None, list[dict[str, float]]]:
    """The run and its rows so far; a last line that is not whole yet is left for the next time.

    None and no rows if the file is not a live log.
    """
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    try:
        run, *rows = map(json.loads, lines)
        return LiveRun(**run), rows
    except (ValueError, TypeError):
        return None, []

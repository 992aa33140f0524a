"""What `ganvae repro` shows of its runs: a live view on a terminal, plain lines in a log."""

import re
import sys
import time
from collections.abc import Sequence
from threading import Lock

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

NOISE = (
    "Generating lock file",
    "To enable auto staging",
    "To track the changes with git",
    "Updating lock file",
    "Use `dvc push`",
    "dvc config core.autostage",
    "git add",
    "> python ",
)
"""How lines begin that DVC prints of every stage, and that tell nothing of it."""
BEGINS = re.compile(r"Running stage '.*?(\w+)@")
SKIPPED = re.compile(r"Stage '.*' didn't change, skipping")
STEP = re.compile(r": step (\d+) of (\d+)(?:, (.*))?$")
WIDTH = 20


class Board:
    """Plain lines, each with the run that it is of."""

    step_seconds = 30
    """How often a training is to say how far it is, in seconds."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._done = self._runs = self._jobs = 0
        self._lock = Lock()

    def start(self) -> None:
        """Begin to show."""

    def stop(self) -> None:
        """Leave the terminal as it was."""

    def expect(self, runs: int, jobs: int = 1) -> None:
        """So many runs are to be done, ``jobs`` at a time."""
        self._runs, self._jobs = runs, jobs
        self._start = time.monotonic()

    def line(self, name: str, line: str) -> None:
        """What a process has printed that works at the run, or the stage, ``name``."""
        line = line.strip()
        if line and not line.startswith(NOISE) and not SKIPPED.match(line):
            with self._lock:
                self._show(name, line)

    def end(self, run: str, failed: bool) -> None:
        """A run is done, or has failed."""
        self._done += 1
        state = "failed" if failed else "done"
        self._print(f"{run}: {state} ({self._done} of {self._runs} runs{self._left()})")

    def standings(self, standings: Sequence[tuple[str, str, int, int]]) -> None:
        """How the models stand by now: name, FID, runs that are done, and all runs of each."""
        table = Table(box=None, pad_edge=False)
        table.add_column("model so far")
        for title in ("FID (judge)", "seeds"):
            table.add_column(title, justify="right")
        for model, fid, seeds, of in standings:
            table.add_row(model, fid, f"{seeds} of {of}")
        self._print(table)

    def _show(self, name: str, line: str) -> None:
        begins = BEGINS.match(line)
        if ": step 0 of " not in line:
            self._print(f"{name:>{WIDTH}} | {begins[1] if begins else line}")

    def _print(self, what: str | Table) -> None:
        Console(highlight=False, soft_wrap=True).print(what, markup=False)
        sys.stdout.flush()

    def _left(self) -> str:
        """The time that is left if the other runs take as long as those before."""
        if self._done >= self._runs or self._done < self._jobs:
            return ""
        took = time.monotonic() - self._start
        return f", about {duration(took / self._done * (self._runs - self._done))} left"


class LiveBoard(Board):
    """A line per run that is being worked at, with its step and losses, below a bar over all."""

    step_seconds = 1

    def __init__(self) -> None:
        super().__init__()
        self._progress = Progress(
            TextColumn("{task.description:>22}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[says]}"),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def start(self) -> None:
        self._progress.start()

    def stop(self) -> None:
        self._progress.stop()

    def expect(self, runs: int, jobs: int = 1) -> None:
        super().expect(runs, jobs)
        self._all = self._progress.add_task("all runs", total=runs, says="")

    def end(self, run: str, failed: bool) -> None:
        super().end(run, failed)
        self._progress.advance(self._all)
        if run in self._tasks:
            self._progress.remove_task(self._tasks.pop(run))

    def _show(self, name: str, line: str) -> None:
        step, begins = STEP.search(line), BEGINS.match(line)
        if not (step or begins):
            return super()._show(name, line)
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=None, says="")
        task = self._tasks[name]
        if step:
            steps, total, losses = step.groups()
            self._progress.update(
                task, completed=int(steps), total=int(total), says=losses or "trains"
            )
        elif begins:
            self._progress.update(task, says=begins[1])
        return None

    def _print(self, what: str | Table) -> None:
        self._progress.console.print(what, markup=False, highlight=False, soft_wrap=True)


def new_board() -> Board:
    """A live view if the output is a terminal that can show one."""
    able = sys.stdout.isatty() and not Console().is_dumb_terminal
    return LiveBoard() if able else Board()


def duration(seconds: float) -> str:
    """In words: ``40 s``, ``12 min``, ``1 h 5 min``."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"

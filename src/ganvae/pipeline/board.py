"""Show the progress of `ganvae repro`: a live view on a terminal, plain lines in a log."""

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
"""Beginnings of lines that DVC prints for every stage; these lines say nothing about the stage."""
BEGINS = re.compile(r"Running stage '.*?(\w+)@")
SKIPPED = re.compile(r"Stage '.*' didn't change, skipping")
STEP = re.compile(r": step (\d+) of (\d+)(?:, (.*))?$")
WIDTH = 20


class Board:
    """A display of plain lines. Each line begins with the name of a training run or a stage."""

    step_seconds = 30
    """Seconds between two progress lines of a training run."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._done = self._runs = self._jobs = 0
        self._lock = Lock()

    def start(self) -> None:
        """Start the display."""

    def stop(self) -> None:
        """End the display and restore the terminal."""

    def expect(self, runs: int, jobs: int = 1) -> None:
        """Set the number of training runs, and the number of them that run at once (``jobs``).

        The count of finished training runs starts again from 0.
        """
        self._done, self._runs, self._jobs = 0, runs, jobs
        self._start = time.monotonic()

    def line(self, name: str, line: str) -> None:
        """Show a line of output from the process of a training run or stage.

        Args:
            name: the training run or stage.
            line: the printed line; empty lines and lines of `NOISE` are not shown.
        """
        line = line.strip()
        if line and not line.startswith(NOISE) and not SKIPPED.match(line):
            with self._lock:
                self._show(name, line)

    def end(self, run: str, failed: bool) -> None:
        """Report that a training run's stages are done, or that one of these stages has failed."""
        self._done += 1
        state = "failed" if failed else "done"
        self._print(f"{run}: {state} ({self._done} of {self._runs} runs{self._left()})")

    def standings(self, standings: Sequence[tuple[str, str, int, int]]) -> None:
        """Print the provisional leaderboard, with one line per variant.

        Args:
            standings: one tuple per variant: its name, its FID, the number of its finished training
                runs, and the number of all its training runs.
        """
        table = Table(box=None, pad_edge=False)
        table.add_column("variant so far")
        for title in ("FID (judge)", "seeds"):
            table.add_column(title, justify="right")
        for variant, fid, finished, total in standings:
            table.add_row(variant, fid, f"{finished} of {total}")
        self._print(table)

    def _show(self, name: str, line: str) -> None:
        stage_start = BEGINS.match(line)
        if ": step 0 of " not in line:
            self._print(f"{name:>{WIDTH}} | {stage_start[1] if stage_start else line}")

    def _print(self, content: str | Table) -> None:
        Console(highlight=False, soft_wrap=True).print(content, markup=False)
        sys.stdout.flush()

    def _left(self) -> str:
        """Estimate the remaining time from the mean time of the finished training runs.

        Returns:
            A phrase such as ``, about 12 min left``; "" if too few training runs are finished, or
            all are.
        """
        if self._done >= self._runs or self._done < self._jobs:
            return ""
        elapsed = time.monotonic() - self._start
        return f", about {duration(elapsed / self._done * (self._runs - self._done))} left"


class LiveBoard(Board):
    """A display with a bar over all training runs, and one line per active training run below.

    Each line shows the step and the losses.
    """

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
        for task in self._progress.task_ids:  # bars of the runs before
            self._progress.remove_task(task)
        self._tasks.clear()
        self._all = self._progress.add_task("all runs", total=runs, says="")

    def end(self, run: str, failed: bool) -> None:
        super().end(run, failed)
        self._progress.advance(self._all)
        if run in self._tasks:
            self._progress.remove_task(self._tasks.pop(run))

    def _show(self, name: str, line: str) -> None:
        step, stage_start = STEP.search(line), BEGINS.match(line)
        if not (step or stage_start):
            return super()._show(name, line)
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=None, says="")
        task = self._tasks[name]
        if step:
            steps, total, losses = step.groups()
            self._progress.update(
                task, completed=int(steps), total=int(total), says=losses or "training"
            )
        elif stage_start:
            self._progress.update(task, says=stage_start[1])
        return None

    def _print(self, content: str | Table) -> None:
        self._progress.console.print(content, markup=False, highlight=False, soft_wrap=True)


def new_board() -> Board:
    """Return a `LiveBoard` if the output is a terminal that can show one, otherwise a `Board`."""
    live = sys.stdout.isatty() and not Console().is_dumb_terminal
    return LiveBoard() if live else Board()


def duration(seconds: float) -> str:
    """Write a time in words: ``40 s``, ``12 min``, ``1 h 5 min``."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"

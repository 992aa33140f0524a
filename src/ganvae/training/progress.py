"""The progress of long work: a bar on a terminal, or plain lines in a log."""

import os
import sys
import time
from collections.abc import Mapping

from tqdm import tqdm

from ganvae.core.live import LOG_SECONDS

OFTEN = 10.0  # seconds between two lines in a log


class Progress:
    """A display of the steps and the latest losses of the training run ``name``.

    ``total`` is the number of steps, ``start`` the number of steps already taken. ``unit`` is the
    word for one step.
    """

    def __init__(self, name: str, total: int, start: int, unit: str = "step") -> None:
        self._name = name
        self._unit = unit
        self._total = total
        self._bar = tqdm(
            total=total, initial=start, desc=name, unit=unit, disable=not sys.stderr.isatty()
        )
        self._seconds = float(os.environ.get(LOG_SECONDS, OFTEN))
        self._last_line = time.monotonic()
        if self._bar.disable:
            print(f"{name}: {unit} {start} of {total}", flush=True)

    def advance(self, steps: int = 1) -> None:
        """Count steps."""
        self._bar.update(steps)

    def show(self, step: int, row: Mapping[str, float]) -> None:
        """Show the losses in ``row``, a row of the history.

        The bar on a terminal shows every row. A log gets a line at intervals and at the last step.
        """
        values = ", ".join(
            f"{name} {value:.4g}" for name, value in row.items() if name not in ("step", "epoch")
        )
        if not self._bar.disable:
            self._bar.set_postfix_str(values, refresh=False)  # the next step draws the bar
        elif step == self._total or time.monotonic() - self._last_line >= self._seconds:
            done = f"{self._name}: {self._unit} {step} of {self._total}"
            print(f"{done}, {values}" if values else done, flush=True)
            self._last_line = time.monotonic()

    def close(self) -> None:
        """Stop the bar and leave its last state on the screen."""
        self._bar.close()


class Meter:
    """Counts steps, and shows their number and the latest values.

    Attributes:
        row: the latest values by name.
    """

    def __init__(self, name: str, steps: int, unit: str = "step") -> None:
        self.row: dict[str, float] = {}
        self._progress = Progress(name, steps, 0, unit)
        self._step = 0

    def count(self, steps: int = 1) -> None:
        """Count steps that were taken, or that need not be taken."""
        self._step += steps
        self._progress.advance(steps)
        self._progress.show(self._step, self.row)

    def close(self) -> None:
        """Stop the display and leave its last state on the screen."""
        self._progress.close()

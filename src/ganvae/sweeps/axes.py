"""Make the axes of a study's pictures: linear, logarithmic or categorical.

If a parameter may be off, the value "off" has its own position at the end of the axis.
"""

import math
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from ganvae.report.sweep_text import value_text
from ganvae.scores.studies import Value
from ganvae.sweeps.space import Range

WIDTH = 8.4
"""The width of a study's pictures in inches: 1008 pixels."""

FID = "FID on validation (log scale)"
"""The label of the axes that show FID."""

Which = Literal["x", "y"]

OFF = 1.12
"""The position of "off" on an axis that goes from 0 (low) to 1 (high)."""


class Scale:
    """A mapping from a parameter's values to positions on an axis from 0 (low) to 1 (high).

    If the range has choices, they are at 0, 1, 2, …. A missing value is at NaN.
    """

    def __init__(self, name: str, range_: Range) -> None:
        self.name = name
        self._range = range_

    @property
    def is_continuous(self) -> bool:
        """True if the parameter has bounds instead of choices."""
        return self._range.choices is None

    def place(self, value: Value) -> float:
        """Return the position of a value; NaN for a missing value.

        None means "off" if the range or its choices allow None, otherwise a missing value.
        """
        if self._range.choices is not None:
            choices = self._range.choices
            return float(choices.index(value)) if value in choices else math.nan
        if value is None:
            return OFF if self._range.or_off else math.nan
        assert isinstance(value, int | float)
        low, high = self._range.bounds
        if self._range.log:
            return math.log(value / low) / math.log(high / low)
        return (value - low) / (high - low)

    def apply(self, ax: Axes, which: Which) -> None:
        """Limit an axis to the range, and label the axis with values and the parameter's name."""
        axis = ax.xaxis if which == "x" else ax.yaxis
        ticks = {self.place(value): value_text(value) for value in self._ticks()}
        axis.set_ticks(list(ticks), labels=list(ticks.values()))
        first, last, margin = 0.0, OFF if self._range.or_off else 1.0, 0.06
        if not self.is_continuous:
            first, last, margin = min(ticks), max(ticks), 0.4
        ax.set(**{f"{which}lim": (first - margin, last + margin)})
        axis.set_label_text(self.name + (" (log scale)" if self._range.log else ""))

    def _ticks(self) -> list[Value]:
        if self._range.choices is not None:
            return list(self._range.choices)
        low, high = self._range.bounds
        locator = (
            LogLocator(subs=_subs(high / low))
            if self._range.log
            else MaxNLocator(6, integer=self._range.whole)
        )
        inside = [float(tick) for tick in locator.tick_values(low, high) if low <= tick <= high]
        return [*inside, *([None] if self._range.or_off else [])]


def _subs(ratio: float) -> tuple[float, ...]:
    return (1, 2, 5) if ratio < 1000 else (1,)


def logarithmic(ax: Axes) -> None:
    """Make the vertical axis logarithmic, with plain numbers instead of powers of ten as labels."""
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:,.4g}"))
    ax.yaxis.set_minor_locator(NullLocator())

"""The history of a training run's losses, averaged between reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

Row = dict[str, float]


@dataclass
class History:
    """The reported losses of a training run.

    Each row of ``rows`` has ``step``, ``epoch``, and the mean of each loss since the previous row.
    ``sums`` has the sum of each loss over the ``count`` steps since the last row, on the device.
    """

    rows: list[Row] = field(default_factory=list)
    sums: dict[str, Tensor] = field(default_factory=dict)
    count: int = 0

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Add the losses of one step, a mapping from name to scalar on the device."""
        for name, loss in losses.items():
            self.sums[name] = self.sums[name] + loss if name in self.sums else loss
        self.count += 1

    def report(self, step: int, epoch: float) -> Row:
        """Append a row with the means since the last row, set the sums to 0, and return the row."""
        means = {name: float(total) / self.count for name, total in self.sums.items()}
        row = {"step": step, "epoch": round(epoch, 4), **means}
        self.rows.append(row)
        self.sums, self.count = {}, 0
        return row

    def not_finite(self) -> str | None:
        """Return the name of a loss that was NaN or infinite since the last report, else None."""
        for name, total in self.sums.items():
            if not bool(torch.isfinite(total)):
                return name
        return None

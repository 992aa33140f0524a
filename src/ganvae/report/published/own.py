"""How this project's models stand in a table with published numbers."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ganvae.report.numbers import fixed
from ganvae.report.published.tables import PublishedLine
from ganvae.report.scores import REFERENCES, bracketed
from ganvae.scores.comparison import Row
from ganvae.scores.intervals import Estimate

OWN_HEADS = ("seeds", "steps", "training images", "parameters")
"""The columns that only this project's models fill."""


class Training(NamedTuple):
    """How a variant was trained.

    Attributes:
        images: the size of the training set.
        latents: the number of latents that a VAE drew per image in each step. The number is 1
            unless the VAE trains on an importance-weighted bound.
    """

    images: int
    latents: int


Trainings = Callable[[str], Training]
"""A function from a variant's name to its training, called only for variants that a table shows."""


def filled(lines: Sequence[PublishedLine]) -> list[PublishedLine]:
    """The published lines, with empty cells in the columns of `OWN_HEADS`."""
    empty = ("",) * len(OWN_HEADS)
    return [PublishedLine(line.label, line.source, (*line.cells, *empty)) for line in lines]


def own(row: Row, score: Estimate, trainings: Trainings) -> tuple[str, ...]:
    """The cells of the columns `OWN_HEADS` for one row.

    Baselines and submitted samples fill only the first column, since nothing was trained here.
    """
    if row.family == "reference" or row.submitted:
        return str(score.n), "", "", ""
    steps = f"{row.steps:,}" if row.steps else ""
    parameters = fixed(row.scores["parameters"].mean, 0)
    return str(score.n), steps, f"{trainings(row.variant).images:,}", parameters


def label(row: Row) -> str:
    return REFERENCES.get(row.variant, f"`{row.variant}`")


def estimated(score: Estimate, decimals: int) -> str:
    low, high = score.low, score.high
    interval = "" if low == high else bracketed(low, high, lambda value: fixed(value, decimals))
    return f"{fixed(score.mean, decimals)} {interval}".rstrip()

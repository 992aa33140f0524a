"""The page's tables of variants: their columns, lines and cells."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ganvae.report.scores import (
    REFERENCES,
    arrow,
    cell,
    failures,
    measured,
    printed,
    seed_values,
    title,
)
from ganvae.scores.catalogue import COSTS, HEADLINE, PRIMARY, TABLED, names
from ganvae.scores.comparison import Row
from ganvae.scores.departures import Departures
from ganvae.scores.records import ScoreRecord
from ganvae.scores.score import Group

GROUPS: dict[Group, str] = {
    "samples": "Samples",
    "modes": "Modes and classes",
    "inversion": "Inversion",
    "reconstruction": "Reconstruction",
    "likelihood": "Likelihood",
    "training": "Training cost",
}
"""A mapping from group of scores to the heading of its table below the leaderboard."""
FAMILIES = {
    "gan": "GAN",
    "vae": "VAE",
    "hybrid": "hybrid",
    "reference": "reference",
    "other": "other",
}


@dataclass(frozen=True)
class Cell:
    """A table cell. Sorting compares ``value``.

    Attributes:
        below: a text below ``text``, such as an interval.
        seeds: the values of the seeds, below both; "" if they are not shown.
    """

    text: str
    below: str = ""
    value: float | None = None
    seeds: str = ""


@dataclass(frozen=True)
class Head:
    """The title of a column and the arrow in the better direction ("↓", "↑" or "")."""

    text: str
    arrow: str

    @property
    def first(self) -> str:
        """The sorting order that puts the best row on top: "descending" or "ascending"."""
        return "descending" if self.arrow == "↑" else "ascending"


@dataclass(frozen=True)
class Line:
    """The line of one variant in a table.

    Attributes:
        label: the name to print.
        quiet: whether the line is set apart, because it is a baseline and no variant.
        submitted: whether the samples were handed in.
    """

    variant: str
    label: str
    family: str
    tuned: bool
    quiet: bool
    cells: list[Cell]
    submitted: bool = False


@dataclass(frozen=True)
class Table:
    """A table of variants that the reader can sort."""

    heads: list[Head]
    lines: list[Line]


def score_table(rows: Sequence[Row], scores: Sequence[str], tuned: Collection[str]) -> Table:
    """A table with the mean of each score and its interval, one line per variant.

    A score that no variant has gets no column.
    """
    columns = measured(rows, scores)
    lines = [_line(row, tuned, [_cell(row, name) for name in columns]) for row in rows]
    return Table([Head(title(name), arrow(name)) for name in columns], lines)


def leaderboard_table(rows: Sequence[Row], tuned: Collection[str]) -> Table:
    """A table of headline scores, with the number of training runs and failures per variant."""
    table = score_table(rows, HEADLINE, tuned)
    lines = [
        replace(line, cells=[*line.cells, Cell(str(row.seeds), failures(row), float(row.seeds))])
        for line, row in zip(table.lines, rows, strict=True)
    ]
    return Table([*table.heads, Head("runs", "")], lines)


def further_tables(rows: Sequence[Row], tuned: Collection[str]) -> dict[str, Table]:
    """A mapping from heading to a table of further scores, one table per group of scores.

    A table omits the variants that have none of its scores.
    """
    tables = {}
    for group, heading in GROUPS.items():
        scores = COSTS if group == "training" else names(["further"], [group])
        scored = [row for row in rows if any(score in row.scores for score in scores)]
        if scored:
            tables[heading] = score_table(scored, scores, tuned)
    return tables


def _line(row: Row, tuned: Collection[str], cells: list[Cell]) -> Line:
    quiet = row.family == "reference"
    label = REFERENCES.get(row.variant, row.variant)
    tuned_here = row.variant in tuned
    return Line(row.variant, label, row.family, tuned_here, quiet, cells, row.submitted)


def _cell(row: Row, score: str) -> Cell:
    if score not in row.scores:
        return Cell(*cell(row, score))
    found = row.scores[score]
    seeds = seed_values(score, found) if score == PRIMARY else ""
    return Cell(*cell(row, score), found.mean, seeds)


@dataclass(frozen=True)
class Change:
    """A parameter whose value in the profile differs from the system's default."""

    key: str
    here: str
    default: str


def changes(departures: Departures) -> list[Change]:
    """The parameters that differ from their defaults, with both values as text."""
    return [
        Change(key, _value(here), _value(default)) for key, (here, default) in departures.items()
    ]


def _value(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def summary(row: Row | None) -> list[tuple[str, Cell]]:
    """A variant's headline scores and its number of parameters: pairs of title and cell."""
    shown = measured([row], [*HEADLINE, "parameters"]) if row else []
    return [(title(name), _cell(row, name)) for name in shown if row]


@dataclass(frozen=True)
class SeedTable:
    """A table of one variant's scores.

    Attributes:
        runs: the titles of the columns, one per training run.
        lines: per score, the score's title, one cell per training run, and the mean with its
            interval.
    """

    runs: list[str]
    lines: list[tuple[Head, list[str], str]]


def seed_table(row: Row | None, records: Sequence[ScoreRecord]) -> SeedTable:
    """Build a table of every score that at least one of a variant's training runs has."""
    lines = []
    for name in TABLED:
        values = [record.scores.get(name) for record in records]
        if values.count(None) < len(values):
            cells = ["" if value is None else printed(name, value) for value in values]
            mean = _cell(row, name) if row else Cell("")
            lines.append(
                (Head(title(name), arrow(name)), cells, f"{mean.text} {mean.below}".rstrip())
            )
    runs = [f"seed {r.seed}{', not ranked' if r.flags else ''}" for r in records]
    return SeedTable(runs, lines)

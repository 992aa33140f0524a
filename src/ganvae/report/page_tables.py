"""What the page's tables of models say, cell by cell."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ganvae.report.scores import REFERENCES, arrow, cell, failures, measured, printed, title
from ganvae.scores.catalogue import COSTS, HEADLINE, TABLED, Group, names
from ganvae.scores.comparison import Row
from ganvae.scores.departures import Departures
from ganvae.scores.records import ScoreRecord

GROUPS: dict[Group, str] = {
    "samples": "Samples",
    "modes": "Modes and classes",
    "inversion": "Inversion",
    "reconstruction": "Reconstruction",
    "likelihood": "Likelihood",
    "training": "Training cost",
}
"""The tables below the leaderboard."""
FAMILIES = {
    "gan": "GAN",
    "vae": "VAE",
    "hybrid": "hybrid",
    "reference": "reference",
    "other": "other",
}


@dataclass(frozen=True)
class Cell:
    """``text`` and, below it, ``margin``; ``value`` is what the column is sorted by."""

    text: str
    margin: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Head:
    """A column: its title and which way is better ("lower", "higher" or "")."""

    text: str
    arrow: str

    @property
    def first(self) -> str:
        """The order that puts the best on top."""
        return "descending" if self.arrow == "↑" else "ascending"


@dataclass(frozen=True)
class Line:
    """One model of a table; ``pinned`` is where sorting leaves it: "top", "bottom" or ""."""

    variant: str
    label: str
    family: str
    tuned: bool
    pinned: str
    cells: list[Cell]


@dataclass(frozen=True)
class Table:
    heads: list[Head]
    lines: list[Line]

    def pinned(self, where: str) -> list[Line]:
        """The lines that sorting leaves at the top, at the bottom, or ("") moves."""
        return [line for line in self.lines if line.pinned == where]


def score_table(rows: Sequence[Row], scores: Sequence[str], tuned: Collection[str]) -> Table:
    """Every model's means with half of their intervals; scores that no model has are left out."""
    columns = measured(rows, scores)
    lines = [_line(row, tuned, [_cell(row, name) for name in columns]) for row in rows]
    return Table([Head(title(name), arrow(name)) for name in columns], lines)


def leaderboard_table(rows: Sequence[Row], tuned: Collection[str]) -> Table:
    """The main scores, and what became of the runs."""
    table = score_table(rows, HEADLINE, tuned)
    lines = [
        replace(line, cells=[*line.cells, Cell(str(row.seeds), failures(row), float(row.seeds))])
        for line, row in zip(table.lines, rows, strict=True)
    ]
    return Table([*table.heads, Head("runs", "")], lines)


def further_tables(rows: Sequence[Row], tuned: Collection[str]) -> dict[str, Table]:
    """The other scores, a table per group; models without any of its scores are left out."""
    tables = {}
    for group, heading in GROUPS.items():
        scores = COSTS if group == "training" else names(["further"], [group])
        having = [row for row in rows if any(score in row.scores for score in scores)]
        if having:
            tables[heading] = score_table(having, scores, tuned)
    return tables


def _line(row: Row, tuned: Collection[str], cells: list[Cell]) -> Line:
    pinned = {"floor": "top", "ceiling": "bottom"}.get(row.variant, "")
    label = REFERENCES.get(row.variant, row.variant)
    return Line(row.variant, label, row.family, row.variant in tuned, pinned, cells)


def _cell(row: Row, score: str) -> Cell:
    value = row.scores[score].mean if score in row.scores else None
    return Cell(*cell(row, score), value)


@dataclass(frozen=True)
class Change:
    """A parameter that the profile sets otherwise than the model's default."""

    key: str
    here: str
    default: str


def changes(departures: Departures) -> list[Change]:
    """The parameters that are set otherwise."""
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
    """A model's headline scores and its size, by title."""
    shown = measured([row], [*HEADLINE, "parameters"]) if row else []
    return [(title(name), _cell(row, name)) for name in shown if row]


@dataclass(frozen=True)
class SeedTable:
    """One model's scores: a line a score, a column a run, then the mean with its margin."""

    runs: list[str]
    lines: list[tuple[Head, list[str], str]]


def seed_table(row: Row | None, records: Sequence[ScoreRecord]) -> SeedTable:
    """Every score that one of a model's runs has."""
    lines = []
    for name in TABLED:
        values = [record.scores.get(name) for record in records]
        if values.count(None) < len(values):
            cells = ["" if value is None else printed(name, value) for value in values]
            mean = _cell(row, name) if row else Cell("")
            lines.append((Head(title(name), arrow(name)), cells, f"{mean.text} {mean.margin}"))
    runs = [f"seed {r.seed}{', not ranked' if r.flags else ''}" for r in records]
    return SeedTable(runs, lines)

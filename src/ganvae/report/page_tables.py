"""The cells of the page's tables of variants."""

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
"""The headings of the tables below the leaderboard, by group of scores."""
FAMILIES = {
    "gan": "GAN",
    "vae": "VAE",
    "hybrid": "hybrid",
    "reference": "reference",
    "other": "other",
}


@dataclass(frozen=True)
class Cell:
    """``text``, below it ``margin``; the column is sorted by ``value``."""

    text: str
    margin: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Head:
    """The title of a column and the arrow in the better direction ("↓", "↑" or "")."""

    text: str
    arrow: str

    @property
    def first(self) -> str:
        """The sorting order that puts the best row on top."""
        return "descending" if self.arrow == "↑" else "ascending"


@dataclass(frozen=True)
class Line:
    """One variant of a table. Sorting leaves it at its ``pinned`` place: "top", "bottom" or ""."""

    variant: str
    label: str
    family: str
    tuned: bool
    pinned: str
    cells: list[Cell]


@dataclass(frozen=True)
class Table:
    """A table of variants that the reader can sort."""

    heads: list[Head]
    lines: list[Line]

    def pinned(self, where: str) -> list[Line]:
        """The lines that sorting leaves at the "top" or "bottom", or those ("") that it moves."""
        return [line for line in self.lines if line.pinned == where]


def score_table(rows: Sequence[Row], scores: Sequence[str], tuned: Collection[str]) -> Table:
    """Means and margins of every variant. Scores that no variant has are left out."""
    columns = measured(rows, scores)
    lines = [_line(row, tuned, [_cell(row, name) for name in columns]) for row in rows]
    return Table([Head(title(name), arrow(name)) for name in columns], lines)


def leaderboard_table(rows: Sequence[Row], tuned: Collection[str]) -> Table:
    """The headline scores, and the number of runs with their failures."""
    table = score_table(rows, HEADLINE, tuned)
    lines = [
        replace(line, cells=[*line.cells, Cell(str(row.seeds), failures(row), float(row.seeds))])
        for line, row in zip(table.lines, rows, strict=True)
    ]
    return Table([*table.heads, Head("runs", "")], lines)


def further_tables(rows: Sequence[Row], tuned: Collection[str]) -> dict[str, Table]:
    """The other scores, one table per group. Variants without these scores are left out."""
    tables = {}
    for group, heading in GROUPS.items():
        scores = COSTS if group == "training" else names(["further"], [group])
        scored = [row for row in rows if any(score in row.scores for score in scores)]
        if scored:
            tables[heading] = score_table(scored, scores, tuned)
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
    """A parameter whose value in the profile differs from the system's default."""

    key: str
    here: str
    default: str


def changes(departures: Departures) -> list[Change]:
    """The parameters that differ from their defaults."""
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
    """A variant's headline scores and number of parameters, by title."""
    shown = measured([row], [*HEADLINE, "parameters"]) if row else []
    return [(title(name), _cell(row, name)) for name in shown if row]


@dataclass(frozen=True)
class SeedTable:
    """One variant's scores: one line per score, one column per run, then mean and margin."""

    runs: list[str]
    lines: list[tuple[Head, list[str], str]]


def seed_table(row: Row | None, records: Sequence[ScoreRecord]) -> SeedTable:
    """Every score that at least one of a variant's runs has."""
    lines = []
    for name in TABLED:
        values = [record.scores.get(name) for record in records]
        if values.count(None) < len(values):
            cells = ["" if value is None else printed(name, value) for value in values]
            mean = _cell(row, name) if row else Cell("")
            lines.append((Head(title(name), arrow(name)), cells, f"{mean.text} {mean.margin}"))
    runs = [f"seed {r.seed}{', not ranked' if r.flags else ''}" for r in records]
    return SeedTable(runs, lines)

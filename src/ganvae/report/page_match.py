"""The page's section on a match: both families' searches with equal effort."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from markupsafe import Markup

from ganvae.core.errors import UserError
from ganvae.report import match_selection, match_why, matches
from ganvae.report.match_figure import draw_expected_best
from ganvae.report.matches import Table
from ganvae.report.vector import vector
from ganvae.scores.matches import (
    FAMILIES,
    STAGES,
    Family,
    MatchRecord,
    TrainedRecord,
    read_stage,
)


@dataclass(frozen=True)
class TitledTable:
    """A table with its caption, and a sentence below it, or "". ``words`` means no numbers."""

    caption: str
    table: Table
    sentence: str = ""
    words: bool = False


@dataclass(frozen=True)
class MatchSection:
    """What the page shows of a match.

    Attributes:
        tables: the tables that are always visible: effort and results, and whether the verdict
            holds.
        details: the tables that readers can open: systems, candidates, ablations and search
            spaces.
    """

    name: str
    intro: str
    figure: Markup | None
    caption: str
    tables: list[TitledTable]
    details: list[TitledTable]


def match_section(root: Path, record: MatchRecord) -> MatchSection:
    """Read the training runs of a match under ``root``, and return the section's contents."""
    search, selection, why = (read_stage(root, record.name, stage) for stage in STAGES)
    draw = partial(draw_expected_best, record=record, search=search)
    label = f"Expected best FID against the number of trials, match {record.name}"
    return MatchSection(
        name=record.name,
        intro=matches.intro(record),
        figure=vector(7.0, 3.4, label, draw) if search else None,
        caption=matches.caption(record),
        tables=list(_tables(record, search, why)),
        details=list(_details(record, search, selection, why)),
    )


def _tables(
    record: MatchRecord, search: Sequence[TrainedRecord], why: Sequence[TrainedRecord]
) -> Iterator[TitledTable]:
    yield TitledTable("Effort and results of the search", matches.effort(record, search))
    if match_why.varied(why):
        title = "Does the verdict hold? FID on validation"
        yield TitledTable(title, match_why.holds(why), match_why.HOW)


def _details(
    record: MatchRecord,
    search: Sequence[TrainedRecord],
    selection: Sequence[TrainedRecord],
    why: Sequence[TrainedRecord],
) -> Iterator[TitledTable]:
    if search:
        yield TitledTable("The search by system", matches.by_system(record, search))
    for family in FAMILIES:
        try:
            table = match_selection.candidates(record, search, selection, family)
            winner = match_selection.winner_text(record, search, selection, family)
            excluded = match_selection.excluded_text(record, search, family)
        except UserError:  # the match is not complete
            continue
        yield TitledTable(
            f"Selection of the {matches.NAMES[family]}", table, f"{winner} {excluded}".rstrip()
        )
    for family in FAMILIES if match_why.varied(why) else ():
        yield TitledTable(_owes(family), match_why.owes(why, family), match_why.LIMITS)
    if search:
        table = matches.machines(search, selection, why)
        yield TitledTable("Machines of the stages", table, matches.MACHINES)
    for family in FAMILIES:
        caption = f"Search space of the {matches.NAMES[family]}"
        yield TitledTable(caption, matches.space_table(record, family), words=True)


def _owes(family: Family) -> str:
    return f"The {family.upper()} finalist with one parameter set back to its default"

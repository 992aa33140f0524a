"""The page's section on one variant.

The section shows pictures of one training run, and the scores of all training runs of the variant.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from ganvae.report.embedding import Embedded, embed
from ganvae.report.page_figures import class_figure
from ganvae.report.page_report import Report
from ganvae.report.page_tables import Cell, Change, SeedTable, changes, seed_table, summary
from ganvae.report.shown import KINDS
from ganvae.scores.comparison import Row
from ganvae.scores.records import ScoreRecord, shown_run


@dataclass(frozen=True)
class Shown:
    """A picture with its title, its caption and its alternative text."""

    title: str
    caption: str
    alt: str
    image: Embedded


@dataclass(frozen=True)
class Failure:
    """A training run that collapsed or diverged."""

    seed: int
    status: str
    reason: str


@dataclass(frozen=True)
class ModelSection:
    """The contents of a variant's section.

    Attributes:
        anchor: the section's id in the page.
        source: the origin of the variant's system, in one line.
        shown_seed: the seed of the shown run (the run of a variant whose pictures pages show).
        lead: the pictures that are always visible.
        more: the pictures behind a click. A variant that was tuned and is no finalist has none, so
            that the page stays small.
        classes: the figure of class shares; None if no class was counted.
        summary: the headline scores and the number of parameters, by title.
        scores: the table of scores, with one column per training run.
        changes: the parameters that differ from the system's defaults.
        flags: the reasons why training runs of this variant are not ranked.
    """

    variant: str
    anchor: str
    family: str
    tuned: bool
    source: str
    note: str
    shown_seed: int
    lead: list[Shown]
    more: list[Shown]
    classes: Markup | None
    summary: list[tuple[str, Cell]]
    scores: SeedTable
    changes: list[Change]
    failures: list[Failure]
    flags: list[str]


def pictures(folder: Path, run: ScoreRecord, place: str) -> Iterator[Shown]:
    """Yield the existing pictures of a training run that belong to one place of its section.

    Args:
        folder: the folder with one folder of pictures per variant.
        place: "lead" or "more", as in `Kind.place`.
    """
    for kind in KINDS:
        path = folder / run.variant / kind.file
        if kind.place == place and path.exists():
            alt = f"{kind.title} of {run.variant}, seed {run.seed}: {kind.caption}"
            yield Shown(kind.title, kind.caption, alt, embed(path))


def model_section(
    report: Report, records: Sequence[ScoreRecord], row: Row | None, anchor: str
) -> ModelSection:
    """Build the section of one variant.

    Args:
        records: the records of the variant's training runs, at least one.
        row: the variant's row of the leaderboard, or None if none of its training runs is ranked.
        anchor: the section's id in the page.
    """
    run = shown_run(records)
    folder = report.results / "pictures"
    counts = [record.class_counts for record in records if record.class_counts]
    return ModelSection(
        variant=run.variant,
        anchor=anchor,
        family=run.family,
        tuned=run.variant in report.tuning.tuned,
        source=report.sources.get(run.variant, ""),
        note=report.notes.get(run.variant, ""),
        shown_seed=run.seed,
        lead=list(pictures(folder, run, "lead")),
        more=list(pictures(folder, run, "more")) if _in_full(report, run.variant) else [],
        classes=class_figure(run.variant, run.family, counts),
        summary=summary(row),
        scores=seed_table(row, records),
        changes=changes(report.departures.get(run.variant, {})),
        failures=[
            Failure(record.seed, record.status, record.reason or "no reason given")
            for record in records
            if record.status != "completed"
        ],
        flags=[f"seed {record.seed}: {flag}" for record in records for flag in record.flags],
    )


def _in_full(report: Report, variant: str) -> bool:
    return variant not in report.tuning.tuned or variant in (report.finalists or ())

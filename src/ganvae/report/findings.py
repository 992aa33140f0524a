"""The findings of a profile, which the leaderboard and the page show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ganvae.config import Params
from ganvae.report.notes import frozen_notice, notes_of
from ganvae.report.published.annealed import annealed_of
from ganvae.report.published.choice import published_of
from ganvae.report.published.tables import PublishedTable
from ganvae.report.tuning import Tuning, tuning_of
from ganvae.scores.comparison import Comparison, compare
from ganvae.scores.departures import Departures, departures
from ganvae.scores.records import ScoreRecord


@dataclass(frozen=True, kw_only=True)
class Findings:
    """A profile's comparison and the facts that a reader needs to judge the comparison.

    Attributes:
        records: all records of the comparison.
        departures: the parameters that differ from the system's defaults, by variant.
        notes: the notes on the variants, by variant.
        tuning: how the parameters were chosen.
        published: tables that show numbers from papers beside this project's scores.
        notice: a sentence to print before everything else; "" for none.
    """

    profile: str
    comparison: Comparison
    records: Sequence[ScoreRecord]
    departures: Mapping[str, Departures]
    notes: Mapping[str, str]
    tuning: Tuning
    published: Sequence[PublishedTable] = ()
    notice: str = ""


def findings_of(params: Params, records: Sequence[ScoreRecord]) -> Findings:
    """Compare the given records of a profile, and collect the facts that a reader needs."""
    comparison = compare(records, params.finalists, params.aside)
    return Findings(
        profile=params.profile,
        comparison=comparison,
        records=records,
        departures=departures(params),
        notes=notes_of(params),
        tuning=tuning_of(params),
        published=[*published_of(params, comparison.rows, records), *annealed_of(params)],
        notice=frozen_notice(params),
    )

"""What a profile found: leaderboard and page are made from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ganvae.config import Params
from ganvae.report.notes import frozen_notice, notes_of
from ganvae.report.published import PublishedTable, published_of
from ganvae.report.tuning import Tuning, tuning_of
from ganvae.scores.comparison import Comparison, compare
from ganvae.scores.departures import Departures, departures
from ganvae.scores.records import ScoreRecord


@dataclass(frozen=True, kw_only=True)
class Findings:
    """A profile's comparison, and what a reader must know of it.

    Attributes:
        records: everything that the comparison covers.
        departures: by model, the parameters that differ from the system's defaults.
        notes: by model, the profile's remark on it.
        tuning: how parameters were chosen.
        published: tables beside numbers from papers.
        notice: is printed before everything else; "" if there is none.
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
    """Compare a profile's records, all or some of them."""
    comparison = compare(records, params.finalists, params.aside)
    return Findings(
        profile=params.profile,
        comparison=comparison,
        records=records,
        departures=departures(params),
        notes=notes_of(params),
        tuning=tuning_of(params),
        published=published_of(params, comparison.rows, records),
        notice=frozen_notice(params),
    )

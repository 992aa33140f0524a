"""Which tables with published numbers a profile has."""

from collections.abc import Sequence
from functools import partial

from ganvae.config import Params
from ganvae.core.files import read_json
from ganvae.core.paths import ProfilePaths
from ganvae.report.published.bounds import BOUND, LEAST_BOUND_SAMPLES, bounds_table
from ganvae.report.published.modes import KL, MODES, modes_table
from ganvae.report.published.own import Training, Trainings
from ganvae.report.published.tables import PublishedTable
from ganvae.scores.comparison import Row
from ganvae.scores.records import ScoreRecord


def published_of(
    params: Params, rows: Sequence[Row], records: Sequence[ScoreRecord]
) -> list[PublishedTable]:
    """Build the tables of `published_tables` for a profile."""
    return published_tables(rows, records, partial(_training_of, params))


def _training_of(params: Params, variant: str) -> Training:
    """Read how a variant was trained, from its first training run.

    All training runs of a variant use the same settings.
    """
    key = next(key for key, run in params.runs.items() if run.variant == variant)
    outcome = read_json(ProfilePaths(params.profile).run(key).outcome)
    return Training(outcome["train_images"], outcome["config"].get("importance_samples", 1))


def published_tables(
    rows: Sequence[Row], records: Sequence[ScoreRecord], trainings: Trainings
) -> list[PublishedTable]:
    """Build the tables with published numbers, for the data sets and scores that papers report.

    The list of tables is empty for most profiles.

    Args:
        rows: the rows of one leaderboard, all measured with the same settings.
        records: the records behind the rows. Flagged records are ignored.
        trainings: returns how a variant was trained.
    """
    ranked = [record for record in records if not record.flags]
    if not ranked:
        return []
    provenance = ranked[0].provenance
    tables = []
    with_modes = [row for row in rows if {MODES, KL} <= row.scores.keys()]
    if provenance.dataset == "stacked-mnist" and any(
        row.family != "reference" for row in with_modes
    ):
        tables.append(modes_table(with_modes, provenance, trainings))
    with_bound = [row for row in rows if BOUND in row.scores]
    tight = provenance.importance_samples >= LEAST_BOUND_SAMPLES
    if with_bound and tight and provenance.dataset == "mnist":
        tables.append(bounds_table(with_bound, ranked, provenance, trainings))
    return tables

"""The leaderboard of those runs that are done, while the others are not."""

from collections.abc import Collection

from ganvae.config import Params
from ganvae.core.paths import ProfilePaths
from ganvae.report.notes import notes_of
from ganvae.report.numbers import listed
from ganvae.report.scores import estimated
from ganvae.report.tables import write_leaderboard_markdown
from ganvae.report.tuning import tuning_of
from ganvae.scores.comparison import RANKED_BY, collect_runs, compare, departures
from ganvae.scores.statistics import Estimate

Standing = tuple[str, str, int, int]
"""A model, its FID, its runs that are done, and all its runs."""


def write_provisional(params: Params, done: Collection[str]) -> list[Standing]:
    """Write a profile's ``leaderboard.md`` of the runs ``done``, which says what is missing.

    It has no baselines.

    Returns:
        How the models stand, the best first; a model whose runs all diverged has no FID.
    """
    there = [key for key in params.runs if key in done]
    missing = [key for key in params.runs if key not in done]
    records = collect_runs(params, there)
    comparison = compare(records, params.finalists, params.aside)
    write_leaderboard_markdown(
        ProfilePaths(params.profile).results / "leaderboard.md",
        params.profile,
        comparison,
        records,
        departures(params),
        notes_of(params),
        tuning_of(params),
        notice=(
            f"Provisional: {len(there)} of {len(params.runs)} runs are done. "
            f"Missing: {listed(missing)}. `ganvae repro` goes on."
        ),
    )
    planned = [run.model for run in params.runs.values()]
    return [
        (row.model, _fid(row.scores.get(RANKED_BY)), row.seeds, planned.count(row.model))
        for row in comparison.rows
    ]


def _fid(estimate: Estimate | None) -> str:
    return " ".join(estimated(RANKED_BY, estimate)) if estimate else "none"

"""Write a provisional leaderboard while some training runs of a profile are missing."""

from collections.abc import Collection
from dataclasses import replace

from ganvae.config import Params
from ganvae.core.paths import ProfilePaths
from ganvae.report.findings import findings_of
from ganvae.report.numbers import listed
from ganvae.report.scores import estimated
from ganvae.report.tables import write_leaderboard_markdown
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.collected import collect_runs
from ganvae.scores.intervals import Estimate

Standing = tuple[str, str, int, int]
"""A variant, its FID, its number of finished training runs, and its number of all training runs."""


def write_provisional(params: Params, done: Collection[str]) -> list[Standing]:
    """Write a profile's ``leaderboard.md`` from the finished training runs ``done``.

    The leaderboard names the missing training runs and has no baselines.

    Returns:
        The standings of the variants, the best first. A variant's FID is "none" if all its training
        runs diverged.
    """
    finished = [key for key in params.runs if key in done]
    missing = [key for key in params.runs if key not in done]
    findings = findings_of(params, collect_runs(params, finished))
    notice = (
        f"This leaderboard is provisional: {len(finished)} of {len(params.runs)} runs are done. "
        f"Missing runs: {listed(missing)}. Run `ganvae repro` to continue."
    )
    table = ProfilePaths(params.profile).results / "leaderboard.md"
    write_leaderboard_markdown(table, replace(findings, notice=notice, published=()))
    planned = [run.variant for run in params.runs.values()]
    return [
        (row.variant, _fid(row.scores.get(PRIMARY)), row.seeds, planned.count(row.variant))
        for row in findings.comparison.rows
    ]


def _fid(estimate: Estimate | None) -> str:
    return " ".join(estimated(PRIMARY, estimate)).rstrip() if estimate else "none"

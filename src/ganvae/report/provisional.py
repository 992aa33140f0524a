"""The leaderboard of those runs that are done, while the others are not."""

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
    findings = findings_of(params, collect_runs(params, there))
    notice = (
        f"Provisional: {len(there)} of {len(params.runs)} runs are done. "
        f"Missing: {listed(missing)}. `ganvae repro` goes on."
    )
    table = ProfilePaths(params.profile).results / "leaderboard.md"
    write_leaderboard_markdown(table, replace(findings, notice=notice, published=()))
    planned = [run.variant for run in params.runs.values()]
    return [
        (row.variant, _fid(row.scores.get(PRIMARY)), row.seeds, planned.count(row.variant))
        for row in findings.comparison.rows
    ]


def _fid(estimate: Estimate | None) -> str:
    return " ".join(estimated(PRIMARY, estimate)) if estimate else "none"

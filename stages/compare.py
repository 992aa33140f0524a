"""Gather all scores into the leaderboard and its figure."""

from pathlib import Path

from ganvae.config import Params, load_params
from ganvae.core.paths import ProfilePaths
from ganvae.pictures.samples import read_sample_rows
from ganvae.pipeline.stage import run_stage
from ganvae.report.figures import draw_comparison
from ganvae.report.notes import frozen_notice, notes_of
from ganvae.report.published import published_of
from ganvae.report.shown import SAMPLES
from ganvae.report.tables import write_leaderboard_csv, write_leaderboard_markdown
from ganvae.report.tuning import tuning_of
from ganvae.scores.comparison import Row, collect_records, compare, departures, write_comparison
from ganvae.scores.records import write_records


def main(params_file: str) -> None:
    params = load_params(Path(params_file))
    results = ProfilePaths(params.profile).results
    records = collect_records(params)
    comparison = compare(records, params.finalists, params.aside)
    rows = comparison.rows
    write_records(results / "scores.json", records)
    write_comparison(results / "comparison.json", comparison)
    write_leaderboard_csv(results / "leaderboard.csv", rows)
    table, changes, notes = results / "leaderboard.md", departures(params), notes_of(params)
    published = published_of(params, rows, records)
    write_leaderboard_markdown(
        table,
        params.profile,
        comparison,
        records,
        changes,
        notes,
        tuning_of(params),
        published,
        frozen_notice(params),
    )
    pictures = {row.model: sample_picture(params, row) for row in rows}
    samples = {name: read_sample_rows(path, 2) for name, path in pictures.items() if path.exists()}
    draw_comparison(results / "comparison.png", rows, records, samples)
    print(f"{table}: {len(rows)} rows from {len(records)} records")


def sample_picture(params: Params, row: Row) -> Path:
    """The samples of a model or of a baseline."""
    paths = ProfilePaths(params.profile)
    if row.family == "reference":
        return paths.baselines / f"{row.model}.png"
    return paths.pictures / row.model / SAMPLES.file


if __name__ == "__main__":
    run_stage(main, __doc__)

"""Collect all scores into the leaderboard and its figure."""

from pathlib import Path

from ganvae.config import Params, load_params
from ganvae.core.paths import ProfilePaths
from ganvae.pictures.samples import read_sample_rows
from ganvae.pipeline.stage import run_stage
from ganvae.report.figures import draw_comparison
from ganvae.report.findings import findings_of
from ganvae.report.shown import SAMPLES
from ganvae.report.tables import write_leaderboard_csv, write_leaderboard_markdown
from ganvae.scores.collected import check_submitted, collect_records, submitted_texts
from ganvae.scores.comparison import Row, write_comparison
from ganvae.scores.records import write_records


def main(params_file: str) -> None:
    params = load_params(Path(params_file))
    results = ProfilePaths(params.profile).results
    submitted = submitted_texts(params)
    records = collect_records(params)
    findings = findings_of(params, records)
    rows = findings.comparison.rows
    write_records(results / "scores.json", records)
    write_comparison(results / "comparison.json", findings.comparison)
    write_leaderboard_csv(results / "leaderboard.csv", rows)
    table = results / "leaderboard.md"
    write_leaderboard_markdown(table, findings)
    pictures = {row.variant: sample_picture(params, row) for row in rows}
    samples = {name: read_sample_rows(path, 2) for name, path in pictures.items() if path.exists()}
    draw_comparison(results / "comparison.png", rows, records, samples)
    check_submitted(params, submitted)
    print(f"{table}: {len(rows)} rows from {len(records)} records")


def sample_picture(params: Params, row: Row) -> Path:
    """The path of the picture of samples of a variant or baseline."""
    paths = ProfilePaths(params.profile)
    if row.family == "reference":
        return paths.baselines / f"{row.variant}.png"
    return paths.pictures / row.variant / SAMPLES.file


if __name__ == "__main__":
    run_stage(main, __doc__)

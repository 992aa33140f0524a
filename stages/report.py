"""Write the report: one HTML page of all that was measured and drawn."""

from pathlib import Path

from ganvae.config import Params, load_params
from ganvae.core.paths import ProfilePaths
from ganvae.models.registry import model_class
from ganvae.pipeline.stage import run_stage
from ganvae.report.notes import frozen_notice, notes_of
from ganvae.report.page import Report, write_page
from ganvae.report.published import published_of
from ganvae.report.tuning import tuning_of
from ganvae.scores.comparison import compare, departures
from ganvae.scores.records import read_records
from ganvae.scores.studies import read_studies


def main(params_file: str) -> None:
    params = load_params(Path(params_file))
    results = ProfilePaths(params.profile).results
    records = read_records(results / "scores.json")
    finalists = (params.finalists[0], params.finalists[1]) if params.finalists else None
    comparison = compare(records, finalists, params.aside)
    path = results / "report.html"
    write_page(
        path,
        Report(
            profile=params.profile,
            command=command(params),
            comparison=comparison,
            records=records,
            finalists=finalists,
            departures=departures(params),
            sources={name: model_class(params.system(name)).source for name in params.models},
            notes=notes_of(params),
            tuning=tuning_of(params),
            results=results,
            studies=read_studies(Path(), params.profile),
            promoted=params.promoted,
            published=published_of(params, comparison.rows, records),
            notice=frozen_notice(params),
        ),
    )
    print(f"{path}: {len(records)} records, {path.stat().st_size / 1e6:.1f} MB")


def command(params: Params) -> str:
    """What reproduces the profile, from the repository's root."""
    made_by_default = params.root == "."
    return "make repro" if made_by_default else f"ganvae repro {pipeline(params)}"


def pipeline(params: Params) -> str:
    """The profile's dvc.yaml, beside its params.yaml."""
    return str(Path(params.file).with_name("dvc.yaml"))


if __name__ == "__main__":
    run_stage(main, __doc__)

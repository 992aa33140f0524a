"""Write the report, one HTML page with all scores and pictures."""

from pathlib import Path

from ganvae.config import Params, load_params
from ganvae.core.paths import ProfilePaths
from ganvae.core.tokens import is_project
from ganvae.models.registry import system_class
from ganvae.pipeline.stage import run_stage
from ganvae.report.findings import findings_of
from ganvae.report.page import write_page
from ganvae.report.page_report import Report
from ganvae.scores.matches import read_matches
from ganvae.scores.records import read_records
from ganvae.scores.studies import read_studies


def main(params_file: str) -> None:
    params = load_params(Path(params_file))
    results = ProfilePaths(params.profile).results
    records = read_records(results / "scores.json")
    finalists = (params.finalists[0], params.finalists[1]) if params.finalists else None
    path = results / "report.html"
    report = Report(
        **vars(findings_of(params, records)),
        command=command(params),
        in_project=is_project(Path()),
        finalists=finalists,
        sources={name: system_class(params.system(name)).source for name in params.variants},
        results=results,
        studies=read_studies(Path(), params.profile),
        promoted=params.promoted,
        matches=read_matches(Path(), params.profile),
    )
    write_page(path, report)
    print(f"{path}: {len(records)} records, {path.stat().st_size / 1e6:.1f} MB")


def command(params: Params) -> str:
    """The command that reproduces the profile, from the root of the repository or project."""
    if params.root != ".":
        return f"ganvae repro {pipeline(params)}"
    return "ganvae repro" if is_project(Path()) else "make repro"


def pipeline(params: Params) -> str:
    """The profile's dvc.yaml, beside its params.yaml."""
    return str(Path(params.file).with_name("dvc.yaml"))


if __name__ == "__main__":
    run_stage(main, __doc__)

"""The catalogue of scores, and the steps that add a new score."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from ganvae.report.scores import NOT_MEASURED
from ganvae.report.tables import write_leaderboard_csv
from ganvae.report.text import comparison_text
from ganvae.scores.catalogue import CATALOGUE, COMPARED, HEADLINE, REQUIRED, SCORES
from ganvae.scores.comparison import compare
from ganvae.scores.records import ScoreRecord, complete_scores
from toy_records import runs

METRIC = '''
"""How bright images are."""

from torch import Tensor


def brightness(images: Tensor) -> float:
    """Mean pixel of uint8 images, in [0, 1]."""
    return float(images.double().mean()) / 255
'''
TERM = 'terms.Term("brightness", "How bright the samples are.", "Neither.", "Anything else.")'
ENTRY = f'Score("brightness", "brightness", {TERM}, "samples", "headline", "higher"),'
EDITS = {
    "scores/catalogue.py": ("_INCEPTION = (\n", f"_INCEPTION = (\n    {ENTRY}\n"),
    "evaluation/sampled.py": (
        "    noise: dict[str, Noise] = {}\n    curve",
        '    scores["brightness"] = brightness(images)\n'
        "    noise: dict[str, Noise] = {}\n    curve",
    ),
}
IMPORT = "from ganvae.metrics.brightness import brightness\n"
SCRIPT = """
import json
from dataclasses import replace
from pathlib import Path

from ganvae.core.files import write_json
from ganvae.core.paths import ProfilePaths
from ganvae.evaluation.runs import evaluate_run
from ganvae.pipeline.behaviour.toy_profile import KEY, write_profile
from ganvae.report.findings import findings_of
from ganvae.report.page import render
from ganvae.report.page_report import Report
from ganvae.report.score_text import score_text
from ganvae.report.tables import write_leaderboard_csv, write_leaderboard_markdown
from ganvae.scores.records import write_records
from ganvae.tracking.runs import read_runs
from ganvae.training.runs import train_run

schedule = {"unit": "steps", "length": 2, "report_every": 1, "sample_every": 2,
            "checkpoint_every": 2}
params = write_profile((1, 28, 28), "classes", model=("vanilla-gan", {"schedule": schedule}))
train_run(params, KEY)
record = evaluate_run(params, KEY)
paths = ProfilePaths(params.profile)
write_json(paths.run(KEY).scores, record.model_dump())
write_records(paths.results / "scores.json", [record])
findings = findings_of(params, [record])
write_leaderboard_markdown(Path("leaderboard.md"), findings)
write_leaderboard_csv(Path("leaderboard.csv"), findings.comparison.rows)
page = Report(**vars(findings), command="", finalists=None, sources={}, results=paths.results)
Path("page.html").write_text(render(page))
Path("score.txt").write_text(score_text(record))
(run,), _ = read_runs(Path(), params.profile)
Path("metrics.json").write_text(json.dumps({point.name: point.value for point in run.points}))
"""


def run_python(folder: Path, *arguments: str) -> str:
    process = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(folder / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.slow
def test_a_new_score_needs_one_function_one_entry_and_one_line(tmp_path: Path) -> None:
    package = tmp_path / "src/ganvae"
    shutil.copytree(ROOT / "src/ganvae", package)
    (package / "metrics/brightness.py").write_text(METRIC)
    for name, (old, new) in EDITS.items():
        text = (package / name).read_text()
        assert text.count(old) == 1
        (package / name).write_text(text.replace(old, new))
    measuring = package / "evaluation/sampled.py"
    measuring.write_text(
        measuring.read_text().replace("from ganvae.metrics", f"{IMPORT}from ganvae.metrics", 1)
    )

    run_python(tmp_path, "-c", SCRIPT)

    scores = json.loads((tmp_path / "results/toy/scores.json").read_text())[0]["scores"]
    value = f"{scores['brightness']:.3f}"
    header, _, row = (tmp_path / "leaderboard.md").read_text().splitlines()[2:5]
    assert "| brightness ↑ |" in header
    assert value in row
    assert (
        "brightness,brightness_low,brightness_high,brightness_n,brightness_seeds"
        in (tmp_path / "leaderboard.csv").read_text()
    )
    page = (tmp_path / "page.html").read_text()
    assert "brightness" in page.split('id="leaderboard"')[1].split("</table>")[0]
    assert "How bright the samples are." in page.split('class="glossary"')[1]
    assert "\nbrightness" in (tmp_path / "score.txt").read_text()
    compared = run_python(
        tmp_path, "-c", "from ganvae.cli import app; app()", "compare", "results/toy/scores.json"
    )
    assert "brightness" in compared
    assert value in compared
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["headline/brightness"] == scores["brightness"]


def column(path: Path, name: str) -> list[str]:
    with path.open() as file:
        return [row[name] for row in csv.DictReader(file)]


def older_than(record: ScoreRecord, score: str) -> ScoreRecord:
    """The record without a score, as from before the score was added."""
    scores = {name: value for name, value in record.scores.items() if name != score}
    return record.model_copy(update={"scores": scores})


def test_a_record_older_than_a_score_is_shown_as_not_measured(tmp_path: Path) -> None:
    new = runs("gan-new", [10.0, 11.0], recall_judge=0.5)
    old = [older_than(record, "recall_judge") for record in runs("vae-old", [12.0, 13.0])]
    assert ScoreRecord.model_validate(old[0].model_dump()) == old[0]
    comparison = compare([*new, *old], None)
    lines = comparison_text(comparison, []).splitlines()
    assert NOT_MEASURED not in lines[1]
    assert lines[2].split() == [
        "vae-old",
        "vae",
        "12.49",
        "[7.51,",
        "20.77]",
        "not",
        "measured",
        "2",
    ]
    write_leaderboard_csv(tmp_path / "x.csv", comparison.rows)
    assert {"0.5", ""} == set(column(tmp_path / "x.csv", "recall_judge"))


def test_a_score_that_does_not_apply_is_not_shown_as_unmeasured() -> None:
    comparison = compare([*runs("gan", [10.0]), *runs("vae", [12.0], elbo_bernoulli=-80.0)], None)
    assert NOT_MEASURED not in comparison_text(comparison, [])


def test_a_record_only_takes_scores_of_the_catalogue() -> None:
    assert tuple(complete_scores({"kid_judge": 0.1})) == REQUIRED
    with pytest.raises(ValueError, match="scores that are not in the catalogue: fid_juge"):
        complete_scores({"fid_juge": 1.0})


def test_names_and_titles_in_the_catalogue_are_unique() -> None:
    assert len(SCORES) == len(CATALOGUE)
    assert len({score.title for score in CATALOGUE}) == len(CATALOGUE)


def test_compared_scores_have_a_better_side_and_a_leaderboard_column() -> None:
    assert all(SCORES[name].better for name in COMPARED)
    assert set(COMPARED) <= set(HEADLINE)


@pytest.mark.parametrize("kind", ["classes", "identities", "channels"])
def test_no_judge_has_more_secondary_scores_than_five_seeds_can_test(kind: str) -> None:
    """At 5 seeds against 5, the smallest p is 2 / 252. Six tests can reach 5 % after correction."""
    secondary = [name for name in COMPARED[1:] if kind in SCORES[name].judges]
    assert len(secondary) * 2 / 252 <= 0.05


def test_names_of_old_records_are_replaced() -> None:
    old = runs("vae", [10.0])[0].model_dump(mode="json")
    old["scores"] |= {"reconstruction_psnr": 18.5, "inverted_ssim": 0.5}
    scores = ScoreRecord.model_validate_json(json.dumps(old), strict=True).scores
    assert scores["reconstruction_psnr_of_mean_mse"] == 18.5
    assert scores["inverted_ssim_padded"] == 0.5
    assert set(scores) <= set(SCORES)

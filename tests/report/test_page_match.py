"""The page's section on a match."""

from pathlib import Path

import pytest

from ganvae.core.files import write_json
from ganvae.matches.spec import Match
from ganvae.report.matches import by_system
from ganvae.report.numbers import significant
from ganvae.report.page import render
from ganvae.report.page_match import match_section
from ganvae.scores.matches import (
    FAMILIES,
    MatchRecord,
    TrainedRecord,
    match_path,
    read_matches,
    write_trained,
)
from toy_match import NAME, record, search, write_match
from toy_report import report, usual


def match_record(match: Match) -> MatchRecord:
    return MatchRecord(
        name=NAME,
        match_sha256=match.sha256,
        content=match.model_dump(mode="json", exclude_defaults=True),
        switches={family: space.switches for family, space in match.families.items()},
        profile="toy",
        dataset="stripes",
        train_sha256="1",
        validation_sha256="2",
        judge_sha256="3",
        noise_fid=400.0,
    )


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MatchRecord:
    """A complete match whose records are written into the working folder."""
    monkeypatch.chdir(tmp_path)
    match = write_match()
    shared = match_record(match)
    write_json(match_path(NAME), shared.model_dump(mode="json"))
    trials = search(match)
    runs: list[TrainedRecord] = [*trials]
    for family in FAMILIES:
        best = sorted((t for t in trials if t.family == family), key=lambda t: t.fid_judge or 0.0)
        for trial in best[:2]:
            for seed in match.selection.seeds:
                changes = {"stage": "selection", "seed": seed, "fid_judge": 7.0 + seed - 101}
                runs.append(record(match, family, trial.trial, **changes))
        for change in ("unchanged", "0.5 times the steps"):
            why = {"stage": "why", "change": change, "fid_unlabelled": 30.0}
            for seed in (104, 105):
                fid = (6.0 if family == "gan" else 3.0) + seed - 104
                runs.append(record(match, family, 0, **why, seed=seed, fid_judge=fid))
    for run in runs:
        write_trained(Path(), NAME, run)
    return shared


def test_the_section_shows_effort_figure_selection_and_spaces(written: MatchRecord) -> None:
    section = match_section(Path(), written)
    assert "3 trials each, and 1 CPU-second of training per trial" in section.intro
    assert section.figure is not None
    assert "Expected best FID" in section.figure
    assert "mathdefault" not in section.figure  # a power of ten that nobody can read
    effort, verdict = section.tables
    assert ["trials", "3", "3"] in effort.table[1]
    assert verdict.table[1][0] == [
        "unchanged",
        "6.48 (6.00 and 7.00)",
        "3.46 (3.00 and 4.00)",
        "1.87",
        "30.0 (30.0 and 30.0)",
        "30.0 (30.0 and 30.0)",
        "1.00",
    ]
    captions = [shown.caption for shown in section.details]
    assert captions == [
        "The search by system",
        "Selection of the GANs",
        "Selection of the VAEs",
        "The GAN finalist with one parameter set back to its default",
        "The VAE finalist with one parameter set back to its default",
        "Machines of the stages",
        "Search space of the GANs",
        "Search space of the VAEs",
    ]
    assert section.details[1].sentence.startswith("The GAN finalist is trial ")


def test_a_system_has_its_share_of_the_trials_and_its_best_fid(written: MatchRecord) -> None:
    trials = search(write_match())
    lost = trials[0].model_copy(update={"status": "diverged", "fid_judge": None})
    _, rows = by_system(written, [lost, *trials[1:]])
    gans, _ = ([t.fid_judge for t in trials[1:] if t.family == family] for family in FAMILIES)
    assert rows[0][:4] == ["`vanilla-gan`", "GANs", "3", "1"]
    assert rows[0][4:] == [significant(max(gans)), significant(min(gans))]  # the lost one is 400
    assert [row[0] for row in rows] == ["`vanilla-gan`", "`bernoulli-vae`"]


def test_the_page_has_the_section_and_a_link_to_it(written: MatchRecord, tmp_path: Path) -> None:
    found = read_matches(Path(), "toy")
    assert found == [written]
    page = render(report(tmp_path, usual(), matches=found))
    assert '<section id="match-0">' in page
    assert '<a href="#match-0">' in page
    assert "<code>vanilla-gan</code>" in page
    assert '<section id="match-0">' not in render(report(tmp_path, usual()))


def test_without_a_changed_finalist_nothing_is_said_on_whether_the_verdict_holds(
    written: MatchRecord,
) -> None:
    for path in Path(f"results/matches/{NAME}/why").glob("*0.5*"):
        path.unlink()
    section = match_section(Path(), written)
    assert [shown.caption for shown in section.tables] == ["Effort and results of the search"]
    assert not any("set back" in shown.caption for shown in section.details)

"""The page's section on the agreement of two judges."""

import re
from pathlib import Path

from ganvae.report.page import render
from ganvae.report.tables import write_leaderboard_markdown
from ganvae.scores.records import ScoreRecord
from toy_report import record, report

SECOND = {"gan-a": 40.0, "gan-b": 10.0, "vae-c": 20.0, "vae-d": 30.0}


def records(second: dict[str, float]) -> list[ScoreRecord]:
    """One run per variant, with the FIDs 1, 2, ... of the first judge."""
    return [
        record(name, 0, 1.0 + number, scores={"fid_unlabelled": fid, "fld_gap_judge": -3.2})
        for number, (name, fid) in enumerate(second.items())
    ]


def text_of(folder: Path, shown: list[ScoreRecord]) -> str:
    """The text of a page, without tags and repeated spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", render(report(folder, shown, None))).split())


def test_the_page_shows_the_agreement_of_both_judges(tmp_path: Path) -> None:
    text = text_of(tmp_path, records(SECOND))
    assert "Kendall's tau of the two orders is 0.00, and Spearman's rho is −0.20." in text
    assert "Agreement does not show that the order is right" in text
    assert "gan-a 1 4 gan-b 2 1 vae-c 3 2 vae-d 4 3" in text


def test_without_a_second_judge_the_page_has_no_such_section(tmp_path: Path) -> None:
    assert "Two judges" not in text_of(tmp_path, [record("gan-a", 0, 1.0)])


def test_gap_and_copies_stand_beside_fid(tmp_path: Path) -> None:
    """So copies of training images, which have the best FID of all, cannot win in silence."""
    close = {"closer_to_train_pixels": 1.0, "fld_gap_judge": -99.0, "fid_unlabelled": 3.0}
    findings = report(tmp_path, [record("gan-copies", 0, 0.1, scores=close)], None)
    write_leaderboard_markdown(tmp_path / "x.md", findings)
    header = next(line for line in (tmp_path / "x.md").read_text().splitlines() if "FID" in line)
    columns = [column.strip() for column in header.split("|")]
    start = columns.index("FID (judge) ↓")
    assert columns[start + 1 : start + 4] == [
        "FID (second judge) ↓",
        "FLD gap (judge)",
        "closer to train (pixels)",
    ]

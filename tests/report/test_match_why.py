"""The tables on changed finalists."""

from pathlib import Path

import pytest

from ganvae.report.match_why import holds, owes
from ganvae.scores.matches import Family, TrainedRecord
from toy_match import record, write_match


@pytest.fixture
def why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[TrainedRecord]:
    monkeypatch.chdir(tmp_path)
    match = write_match()

    def runs(family: Family, change: str, *fids: float | None) -> list[TrainedRecord]:
        return [
            record(
                match,
                family,
                0,
                stage="why",
                change=change,
                seed=200 + place,
                fid_judge=fid,
                fid_unlabelled=fid and fid**2,
                status="completed" if fid is not None else "diverged",
            )
            for place, fid in enumerate(fids)
        ]

    return [
        *runs("gan", "unchanged", 4.0, 9.0),
        *runs("gan", "without r1", 20.0, None),
        *runs("gan", "0.5 of the steps", 8.0, 12.5),
        *runs("vae", "unchanged", 1.0, 4.0),
        *runs("vae", "without prior", 6.0, 24.0),
        *runs("vae", "0.5 of the steps", 40.0, 10.0),
    ]


def test_a_choice_is_worth_the_ratio_to_the_whole_finalist(why: list[TrainedRecord]) -> None:
    _, rows = owes(why, "vae")
    assert rows == [
        ["unchanged", "2.00 (1.00 and 4.00)", "1.00"],
        ["without `prior`", "12.0 (6.00 and 24.0)", "6.00"],
    ]
    _, rows = owes(why, "gan")  # a mean without the diverged seed would flatter
    assert rows[1] == ["without `r1`", "diverged (20.0 and diverged)", ""]


def test_both_judges_compare_the_finalists_after_each_change_of_both(
    why: list[TrainedRecord],
) -> None:
    heads, rows = holds(why)
    assert heads[3] == "ratio"
    assert heads[6] == "ratio, second judge"
    assert [(row[0], row[3], row[6]) for row in rows] == [
        ("unchanged", "3.00", "9.00"),
        ("0.5 times the steps", "0.500", "0.250"),
    ]
    assert rows[1][4:6] == ["100 (64.0 and 156)", "400 (1,600 and 100)"]


def test_cells_of_a_judge_that_scored_nothing_are_empty(why: list[TrainedRecord]) -> None:
    unscored = [run.model_copy(update={"fid_unlabelled": None}) for run in why]
    _, rows = holds(unscored)
    assert rows[0][4:] == ["", "", ""]

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
                status="completed" if fid is not None else "diverged",
            )
            for place, fid in enumerate(fids)
        ]

    return [
        *runs("gan", "unchanged", 4.0, 6.0),
        *runs("gan", "without r1", 20.0, None),
        *runs("gan", "0.5 of the steps", 9.0, 11.0),
        *runs("vae", "unchanged", 1.0, 3.0),
        *runs("vae", "without prior", 8.0, 12.0),
        *runs("vae", "0.5 of the steps", 30.0, 10.0),
    ]


def test_a_choice_is_worth_the_ratio_to_the_whole_finalist(why: list[TrainedRecord]) -> None:
    _, rows = owes(why, "vae")
    assert rows == [
        ["unchanged", "2.00 (1.00 and 3.00)", "1.00"],
        ["without `prior`", "10.0 (8.00 and 12.0)", "5.00"],
    ]
    _, rows = owes(why, "gan")  # a mean without the diverged seed would flatter
    assert rows[1] == ["without `r1`", "diverged (20.0 and diverged)", ""]


def test_the_lower_mean_is_named_for_each_change_that_both_have(why: list[TrainedRecord]) -> None:
    _, rows = holds(why)
    assert [(row[0], row[3]) for row in rows] == [
        ("unchanged", "VAE"),
        ("0.5 times the steps", "GAN"),
    ]

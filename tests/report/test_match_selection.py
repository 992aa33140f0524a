"""Sentences and tables on the search and the selection of a match."""

from pathlib import Path

import pytest

from ganvae.matches.spec import Match
from ganvae.report.match_selection import candidates, excluded_text, winner_text
from ganvae.report.matches import chances, effort
from ganvae.report.numbers import percent
from ganvae.scores.matches import Family, MatchRecord, TrainedRecord
from toy_match import record, write_match
from toy_match import shared as shared_of

SCORES = {
    "gan": [(10.0, 1.0), (30.0, 2.0), (50.0, 3.0)],
    "vae": [(20.0, 0.5), (40.0, 1.5), (60.0, 4.0)],
}
"""FIDs of the three trials of each family by both judges."""


@pytest.fixture
def match(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Match:
    monkeypatch.chdir(tmp_path)
    return write_match()


@pytest.fixture
def shared(match: Match) -> MatchRecord:
    return shared_of(match)


def trials(match: Match, family: Family, **changes: object) -> list[TrainedRecord]:
    return [
        record(match, family, number, fid_judge=first, fid_unlabelled=second, **changes)
        for number, (first, second) in enumerate(SCORES[family])
    ]


def selection(match: Match, family: Family) -> list[TrainedRecord]:
    return [
        record(match, family, n, stage="selection", seed=seed, fid_judge=9.0, fid_unlabelled=u)
        for n in (0, 1)
        for seed, u in zip(match.selection.seeds, (2.0, 4.0), strict=True)
    ]


def rows(table: tuple[list[str], list[list[str]]]) -> dict[str, list[str]]:
    return {row[0]: row[1:] for row in table[1]}


def test_the_chances_of_both_judges_are_shown_and_add_up(match: Match, shared: MatchRecord) -> None:
    many = [t for family in ("gan", "vae") for _ in range(5) for t in trials(match, family)]
    found = rows(effort(shared, many))
    assert "chance to have the best of 5 trials" in found
    assert "chance to have the best of 5 trials, second judge" in found
    for name, cells in found.items():
        if name.startswith("chance"):
            shares = [float(cell.removesuffix(" %")) for cell in cells]
            assert sum(shares) == pytest.approx(100, abs=1)
            assert (shares[0] > shares[1]) == ("second judge" not in name)


def test_without_all_scores_of_the_second_judge_its_chances_are_left_out(
    match: Match, shared: MatchRecord
) -> None:
    many = [t for family in ("gan", "vae") for _ in range(5) for t in trials(match, family)]
    many[3] = many[3].model_copy(update={"fid_unlabelled": None})
    assert not any("second judge" in name for name in rows(effort(shared, many)))


def test_a_trial_that_took_too_long_is_never_the_best(match: Match, shared: MatchRecord) -> None:
    many = [t for family in ("gan", "vae") for _ in range(5) for t in trials(match, family)]
    late = [t.model_copy(update={"cpu_seconds": 3.0}) if t.family == "gan" else t for t in many]
    assert chances(many, "fid_judge")[5] > 0.5
    assert chances(late, "fid_judge")[5] == 0
    assert rows(effort(shared, late))["chance to have the best of 5 trials"][0] == "under 1 %"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.005, "under 1 %"), (0.0051, "1 %"), (0.994, "99 %"), (0.995, "over 99 %")],
)
def test_shares_never_look_certain(share: float, text: str) -> None:
    assert percent(share) == text


def test_candidates_show_the_second_judge_and_their_seconds(
    match: Match, shared: MatchRecord
) -> None:
    search, again = trials(match, "gan", cpu_seconds=1.04), selection(match, "gan")
    heads, body = candidates(shared, search, again, "gan")
    first = dict(zip(heads, body[0], strict=True))
    assert first["mean, second judge"] == "3.00"
    assert first["CPU-seconds in the search"] == "1"
    lacking = [again[0].model_copy(update={"fid_unlabelled": None}), *again[1:]]
    heads, body = candidates(shared, search, lacking, "gan")
    cells = [dict(zip(heads, row, strict=True))["mean, second judge"] for row in body]
    assert cells == ["", "3.00"]


def test_a_better_trial_that_took_too_long_is_named(match: Match, shared: MatchRecord) -> None:
    search = trials(match, "gan")
    assert excluded_text(shared, search, "gan") == ""
    late = search[0].model_copy(update={"cpu_seconds": 3.0})
    text = excluded_text(shared, [late, *search[1:]], "gan")
    assert text.endswith("trial 0 (FID 10.0, 3.0 CPU-seconds).")
    worst = search[2].model_copy(update={"cpu_seconds": 3.0})
    assert excluded_text(shared, [*search[:2], worst], "gan") == ""
    both = [search[0], *(t.model_copy(update={"cpu_seconds": 3.0}) for t in search[1:])]
    assert "trial 1" in excluded_text(shared, both, "gan")  # there is room for a second candidate


@pytest.mark.parametrize(
    ("name", "value", "near"),
    [
        ("learning_rate", 1.05e-4, True),
        ("learning_rate", 9.0e-3, True),
        ("learning_rate", 3.0e-4, False),  # near the low end only on a linear scale
        ("encoding_dims", 4, True),
        ("encoding_dims", 6, False),
        ("steps", 1, False),  # of 1 to 3
    ],
)
def test_parameters_near_an_end_of_their_range_are_named(
    match: Match, shared: MatchRecord, name: str, value: float, near: bool
) -> None:
    shared.content["families"]["gan"]["parameters"]["steps"] = {"low": 1, "high": 3}
    search = trials(match, "gan")
    search[0] = search[0].model_copy(update={"parameters": {name: value}})
    text = winner_text(shared, search, selection(match, "gan"), "gan")
    assert (f"Near an end of their ranges: `{name}`." in text) == near

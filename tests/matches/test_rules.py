"""The rules that keep a match fair: equal effort, nothing by hand, one look at test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganvae.core.errors import ConfigError, DataError, UserError
from ganvae.core.files import read_json, write_json
from ganvae.core.paths import ProfilePaths
from ganvae.matches.check import check_changed, check_drawn, check_equal_effort, check_records
from ganvae.matches.promote import promote_finalists
from ganvae.matches.spec import Match
from ganvae.report.match_figure import fids_of
from ganvae.scores.matches import (
    FAMILIES,
    MATCHES,
    Family,
    TrainedRecord,
    match_path,
    read_match_record,
    read_stage,
    write_trained,
)
from ganvae.scores.selection import best_trials, finalist
from toy_match import NAME, record, search, shared, write_match
from toy_study import make_profile


@pytest.fixture
def match(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Match:
    monkeypatch.chdir(tmp_path)
    return write_match(trials=6)


def with_fids(match: Match, family: Family, fids: list[Any]) -> list[TrainedRecord]:
    return [
        record(match, family, trial, fid_judge=fid)
        if fid is not None
        else record(match, family, trial, fid_judge=None, status="diverged", reason="NaN")
        for trial, fid in enumerate(fids)
    ]


def selected(match: Match, fids: dict[int, list[float | None]]) -> list[TrainedRecord]:
    return [
        record(
            match,
            "gan",
            trial,
            seed=seed,
            stage="selection",
            fid_judge=fid,
            status="completed" if fid is not None else "diverged",
        )
        for trial, values in fids.items()
        for seed, fid in zip(match.selection.seeds, values, strict=True)
    ]


def test_pin_15_the_best_trials_have_the_lowest_fid_within_the_budget(match: Match) -> None:
    trials = with_fids(match, "gan", [9.0, None, 3.0, 2.0, 5.0, 4.0])
    assert [t.trial for t in best_trials(match.rule, trials, "gan")] == [3, 2]
    over = record(match, "gan", 3, fid_judge=2.0, cpu_seconds=1.6)
    assert over.flagged
    assert [t.trial for t in best_trials(match.rule, [*trials[:3], over, *trials[4:]], "gan")] == [
        2,
        5,
    ]
    short = record(match, "gan", 3, fid_judge=2.0, cpu_seconds=0.4)
    assert short.flagged  # less effort is no advantage
    assert best_trials(match.rule, [*trials[:3], short, *trials[4:]], "gan")[0].trial == 3


def test_pin_15_the_finalist_has_the_lowest_mean_over_the_seeds(
    match: Match,
) -> None:
    trials = with_fids(match, "gan", [9.0, None, 3.0, 2.0, 5.0, 4.0])
    selection = selected(match, {3: [8.0, 2.0], 2: [4.0, 4.5]})
    winner, mean = finalist(match.rule, trials, selection, "gan")
    assert (winner.trial, mean) == (2, 4.25)
    diverged = selected(match, {3: [8.0, 2.0], 2: [None, 0.5]})
    assert finalist(match.rule, trials, diverged, "gan")[0].trial == 3
    with pytest.raises(UserError, match="every candidate"):
        finalist(match.rule, trials, selected(match, {3: [None, 2.0], 2: [None, 0.5]}), "gan")


@pytest.mark.parametrize(
    "fids", [{3: [8.0, 2.0]}, {3: [8.0, 2.0], 5: [1.0, 1.0]}], ids=["missing", "by hand"]
)
def test_pin_15_a_selection_of_other_trials_is_refused(
    match: Match, fids: dict[int, list[float | None]]
) -> None:
    trials = with_fids(match, "gan", [9.0, None, 3.0, 2.0, 5.0, 4.0])
    with pytest.raises(UserError, match="exactly the best 2"):
        finalist(match.rule, trials, selected(match, fids), "gan")


def test_changes_of_an_earlier_finalist_are_refused(match: Match) -> None:
    trials, selection = [], []
    for family in FAMILIES:
        trials += with_fids(match, family, [9.0, 8.0, 3.0, 2.0, 5.0, 4.0])
        for trial, fid in ((3, 2.0), (2, 4.0)):
            selection += [
                record(match, family, trial, seed=seed, stage="selection", fid_judge=fid)
                for seed in match.selection.seeds
            ]
    why = [record(match, "gan", 3, stage="why", change="unchanged")]
    check_changed(NAME, match, trials, selection, why)
    earlier = record(match, "vae", 2, stage="why", change="unchanged")
    with pytest.raises(UserError, match=r"/vae-02-unchanged.*the finalist is trial 3 now"):
        check_changed(NAME, match, trials, selection, [*why, earlier])


def test_a_run_of_another_length_on_purpose_does_not_miss_its_budget(match: Match) -> None:
    changed = record(match, "gan", 3, stage="why", change="0.5 of the steps", cpu_seconds=0.4)
    assert not changed.flagged
    assert record(match, "gan", 3, cpu_seconds=0.4).flagged


def test_a_trial_that_cannot_be_selected_counts_as_noise(match: Match) -> None:
    trials = with_fids(match, "gan", [9.0, None, 3.0])
    trials.append(record(match, "gan", 3, fid_judge=2.0, cpu_seconds=1.6))
    assert fids_of(shared(match), trials, "gan") == [9.0, 400.0, 3.0, 400.0]


@pytest.mark.parametrize(
    ("why", "message"),
    [
        ({"budgets": [2, 2]}, "budgets has the same entry twice"),
        ({"split_seeds": [1, 1]}, "split_seeds has the same entry twice"),
        ({"ablate": {"vae": ["beta", "beta"]}}, r"ablate\.vae has the same entry twice"),
    ],
)
def test_a_change_that_is_named_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        write_match(why={"seeds": [201, 202], "ablate": {}} | why)


def test_a_family_without_a_candidate_is_refused(match: Match) -> None:
    slow = [record(match, "gan", trial, cpu_seconds=1.7) for trial in range(5)]
    diverged = record(match, "gan", 5, fid_judge=None, status="diverged", reason="NaN")
    with pytest.raises(UserError, match="the family gan has no candidate: each of its 6 trials"):
        finalist(match.rule, [*slow, diverged], [], "gan")


def test_a_candidate_without_all_seeds_is_refused(match: Match) -> None:
    trials = with_fids(match, "gan", [9.0, None, 3.0, 2.0, 5.0, 4.0])
    selection = selected(match, {3: [8.0, 2.0], 2: [4.0, 4.5]})[:-1]
    with pytest.raises(UserError, match="lacks seeds"):
        finalist(match.rule, trials, selection, "gan")


def test_pin_15_unequal_numbers_of_trials_are_refused(match: Match) -> None:
    complete = search(match)
    check_equal_effort(match, complete)
    for family in ("gan", "vae"):
        fewer = [r for r in complete if (r.family, r.trial) != (family, 2)]
        with pytest.raises(UserError, match=f"5 of 6 trials of the family {family}"):
            check_equal_effort(match, fewer)
    with pytest.raises(UserError):
        check_equal_effort(match, [*complete, complete[0]])


Change = Callable[[TrainedRecord], TrainedRecord]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"match_sha256": "0"}, "another content of the match file"),
        ({"seed": 7}, "no training run of this match"),
        ({"trial": 6}, "no training run of this match"),
        ({"stage": "selection"}, "no training run of this match"),
        ({"budget_seconds": 2.0}, "2 CPU-seconds, but the match gives 1"),
        ({"tokens": {"evaluate/samples": "old"}}, "behaves differently"),
    ],
)
def test_pin_15_a_record_that_does_not_belong_to_the_match_is_refused(
    match: Match, changes: dict[str, Any], message: str
) -> None:
    good = record(match, "gan", 0)
    check_records(NAME, match, [good])
    with pytest.raises(UserError, match=message):
        check_records(NAME, match, [good.model_copy(update=changes)])


BY_HAND: list[dict[str, Any]] = [
    {"parameters": {"learning_rate": 0.001}},
    {"config": {"learning_rate": 0.001}},
    {"steps": 200},
    {"system": "dcgan"},
    {"stage": "selection", "seed": 101, "steps": 200},
]


@pytest.mark.parametrize("changes", BY_HAND, ids=lambda changes: " ".join(changes))
def test_pin_15_a_configuration_chosen_by_hand_is_refused(
    match: Match, changes: dict[str, Any]
) -> None:
    make_profile()
    trials = search(match)
    check_drawn(match, trials)
    by_hand = trials[0].model_copy(update=changes)
    with pytest.raises(UserError, match=r"gan 0, seed \d+, does not have the configuration"):
        check_drawn(match, [by_hand, *trials[1:]])


def write_complete(match: Match) -> None:
    """Write the records of a complete match that nobody trained."""
    trials = search(match)
    again = [
        record(match, family, trial.trial, seed=seed, stage="selection")
        for family in FAMILIES
        for trial in best_trials(match.rule, trials, family)
        for seed in match.selection.seeds
    ]
    for trained in [*trials, *again]:
        write_trained(Path(), NAME, trained)


def test_pin_15_a_second_look_at_the_test_split_is_refused(match: Match) -> None:
    make_profile()
    write_complete(match)
    promote_finalists(NAME)
    promoted = Path("promoted.yaml").read_text()
    scores = ProfilePaths("toy").run("gan-finalist-10").scores
    write_json(scores, {"provenance": {"protocol_version": 3}})
    promote_finalists(NAME)  # the same finalists again
    for path in (MATCHES / NAME / "selection").glob("gan-*.json"):  # another GAN wins
        values = read_json(path)
        write_json(path, values | {"fid_judge": 1000.0 / values["fid_judge"]})
    with pytest.raises(UserError, match="scored on the test split with other parameters"):
        promote_finalists(NAME)
    assert Path("promoted.yaml").read_text() == promoted
    Path("promoted.yaml").unlink()  # the look at the test split stays a look
    with pytest.raises(UserError, match=r"split and is no longer in promoted\.yaml.* restore"):
        promote_finalists(NAME)
    scores.unlink()
    promote_finalists(NAME)
    assert Path("promoted.yaml").read_text() != promoted


def test_a_record_under_the_name_of_another_is_refused(match: Match) -> None:
    path = write_trained(Path(), NAME, record(match, "gan", 0))
    copy = path.with_name("gan-01.json")
    copy.write_text(path.read_text())
    with pytest.raises(DataError, match=r"gan-01.json: the content is .* search/gan-00.json"):
        read_stage(Path(), NAME, "search")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "gan-00.json is not valid JSON"),
        ("[]", "gan-00.json: not a trained record"),
        ('{"fid_judge": NaN}', "gan-00.json is not valid JSON"),
    ],
)
def test_a_broken_record_is_named_with_a_remedy(match: Match, text: str, message: str) -> None:
    path = write_trained(Path(), NAME, record(match, "gan", 0))
    path.write_text(text)
    with pytest.raises(UserError, match=f"{message}.*Delete"):
        read_stage(Path(), NAME, "search")


def test_a_folder_under_another_name_is_refused(match: Match) -> None:
    path = match_path("copy")
    write_json(path, shared(match).model_dump(mode="json"))
    with pytest.raises(DataError, match=r"copy/match\.json: this is the record of match toy"):
        read_match_record(path)

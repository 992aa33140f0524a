"""Match files, and the configurations that they draw."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from conftest import ROOT
from ganvae.config import load_params, parse
from ganvae.core.errors import ConfigError
from ganvae.data.registry import get_dataset
from ganvae.matches.draw import chosen, draw, draw_value
from ganvae.matches.files import FOLDER, read_match
from ganvae.matches.spec import FamilySpace, Match, MatchRange
from ganvae.scores.matches import FAMILIES, Family
from toy_match import MATCH, NAME, SHAPE, write_match
from toy_study import write_yaml


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def values(n: int = 4000, **fields: Any) -> list[Any]:
    random = np.random.default_rng(0)
    range_ = MatchRange(**fields)
    return [draw_value(range_, random) for _ in range(n)]


def test_draws_are_even_on_their_scale() -> None:
    even = values(low=-1.0, high=3.0)
    assert stats.kstest(even, stats.uniform(-1, 4).cdf).pvalue > 0.01
    logs = np.log(values(low=1e-4, high=1e-1, log=True))
    assert stats.kstest(logs, stats.uniform(np.log(1e-4), np.log(1e3)).cdf).pvalue > 0.01


def test_whole_numbers_include_both_ends_with_equal_chances() -> None:
    counts = Counter(values(low=1, high=4))
    assert {*counts} == {1, 2, 3, 4}
    assert stats.chisquare(list(counts.values())).pvalue > 0.01
    logs = Counter(values(low=1, high=8, log=True))
    assert {*logs} == {*range(1, 9)}
    assert logs[1] > logs[2] > logs[4] > logs[8]


def test_a_parameter_that_can_be_off_is_off_half_of_the_time() -> None:
    off = values(low=0.1, high=1.0, or_off=True).count(None)
    assert abs(off - 2000) < 150
    assert {*map(str, values(choices=[[16], [8, 8], None]))} == {"[16]", "[8, 8]", "None"}


def test_a_configuration_is_a_function_of_the_match_the_family_and_the_number() -> None:
    match = write_match()
    first = [draw(match, "gan", number, SHAPE) for number in range(3)]
    assert [draw(match, "gan", number, SHAPE) for number in (2, 1, 0)] == first[::-1]
    assert len({str(drawn.parameters) for drawn in first}) == 3
    other = write_match(draws=1)
    assert draw(other, "gan", 0, SHAPE).parameters != first[0].parameters


@pytest.mark.parametrize("family", FAMILIES)
def test_each_draw_may_also_be_chosen_by_hand(family: Family) -> None:
    match = read_match("faces", ROOT)
    for number in range(match.trials):
        drawn = draw(match, family, number, (3, 32, 32))
        again = chosen(match, family, drawn.system, drawn.parameters, (3, 32, 32))
        assert again == replace(drawn, redraws=0)


@pytest.mark.parametrize(
    ("system", "changes", "message"),
    [
        ("vanilla-gan", {"learning_rate": 0.02}, "vanilla-gan with learning_rate 0.02 cannot be"),
        ("vanilla-gan", {"learning_rate": None}, "with learning_rate None cannot be drawn"),
        ("vanilla-gan", {"encoding_dims": 10}, "with encoding_dims 10 cannot be drawn"),
        ("vanilla-gan", {"r1": 1.0}, "with r1 1.0 cannot be drawn"),
        ("vanilla-gan", {"learning_rate_decay": "linear"}, "learning_rate_decay linear cannot"),
        ("dcgan", {}, r"families\.gan has no system dcgan\."),
    ],
)
def test_a_choice_outside_the_space_is_refused(
    system: str, changes: dict[str, Any], message: str
) -> None:
    match = write_match(
        **space(
            learning_rate={"low": 1e-4, "high": 1e-2, "log": True},
            ema={"choices": [None, 0.9]},
            learning_rate_decay={"choices": ["none", "linear"], "only": {"ema": [0.9]}},
        )
    )
    right = {"learning_rate": 1e-3, "encoding_dims": 8, "ema": None}
    assert (
        chosen(match, "gan", "vanilla-gan", right, SHAPE).config.model_dump()["encoding_dims"] == 8
    )
    with pytest.raises(ConfigError, match=message):
        chosen(match, "gan", system, right | changes, SHAPE)


def space(**parameters: Any) -> dict[str, Any]:
    families = {"gan": dict(MATCH["families"]["gan"]), "vae": MATCH["families"]["vae"]}
    families["gan"]["parameters"] = parameters
    return {"families": families}


def fixed(**values: Any) -> dict[str, Any]:
    families = space()["families"]
    families["gan"]["fixed"] = {"vanilla-gan": values}
    return {"families": families}


def test_fixed_values_have_dotted_names() -> None:
    match = write_match(**fixed(**{"balance.ratio": 2.0, "batch_size": 16}))
    config = draw(match, "gan", 0, SHAPE).config.model_dump()
    assert (config["balance"]["ratio"], config["batch_size"]) == (2.0, 16)


def test_a_parameter_is_drawn_only_where_it_has_an_effect() -> None:
    match = write_match(
        **space(
            ema={"choices": [None, 0.9]},
            learning_rate_decay={"choices": ["none", "linear"], "only": {"ema": [0.9]}},
        )
    )
    for number in range(20):
        drawn = draw(match, "gan", number, SHAPE).parameters
        assert ("learning_rate_decay" in drawn) == (drawn["ema"] == 0.9)


def test_invalid_combinations_are_drawn_again_as_a_whole() -> None:
    match = write_match(**space(batch_size={"low": 2, "high": 9}))  # odd ones are invalid
    drawn = [draw(match, "gan", number, SHAPE) for number in range(40)]
    assert {d.parameters["batch_size"] for d in drawn} == {2, 4, 6, 8}
    assert sum(d.redraws for d in drawn) > 10
    hopeless = write_match(**space(batch_size={"choices": [3, 5]}))
    with pytest.raises(ConfigError, match="no valid configuration"):
        draw(hopeless, "gan", 0, SHAPE)


def two_systems(**changes: Any) -> Match:
    """A match with two systems of GANs. 90 % of the configurations of one of them are invalid."""
    gan = {
        "systems": {
            "vanilla-gan": {"batch_size": {"choices": [2, *range(3, 21, 2)]}},  # odd: invalid
            "dcgan": {"batch_size": {"choices": [2]}},
        },
        "fixed": {
            "vanilla-gan": {"hidden": [4]},
            "dcgan": {"generator_channels": [4, 2], "discriminator_channels": [2, 4]},
        },
    }
    return write_match(families=MATCH["families"] | {"gan": gan}, **changes)


@pytest.mark.parametrize(("redraw", "share"), [("parameters", 1 / 2), ("configuration", 1 / 11)])
def test_systems_get_as_many_trials_if_only_parameters_are_drawn_again(
    redraw: str, share: float
) -> None:
    match = two_systems(redraw=redraw)
    systems = [draw(match, "gan", number, SHAPE).system for number in range(60)]
    assert stats.binomtest(systems.count("vanilla-gan"), 60, share).pvalue > 0.01


def test_rotated_systems_take_turns_and_draw_only_parameters_again() -> None:
    match = two_systems(redraw="parameters", rotate_systems=True)
    drawn = [draw(match, "gan", number, SHAPE) for number in range(6)]
    assert [one.system for one in drawn] == ["vanilla-gan", "dcgan"] * 3
    assert any(one.redraws for one in drawn)
    assert write_match(redraw="parameters", rotate_systems=False).sha256 == (
        write_match(redraw="parameters").sha256
    )


def test_what_is_drawn_again_is_part_of_the_checksum_unless_it_is_the_default() -> None:
    old = write_match()
    assert write_match(redraw="configuration").sha256 == old.sha256
    assert write_match(redraw="parameters").sha256 != old.sha256
    assert "redraw" not in old.model_dump(mode="json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"families": {"gan": MATCH["families"]["gan"]}}, "exactly the two entries"),
        ({"rotate_systems": True}, "Set redraw to parameters"),
        (space() | {"selection": {"best": 4, "seeds": [101]}}, "selection.best is 4"),
        ({"finalist_seeds": [10, 101]}, "share a seed"),
        ({"finalist_seeds": [10, 10]}, "share a seed"),
        ({"selection": {"best": 1, "seeds": [100]}}, "share a seed"),
        ({"trials": 0}, "trials is 0"),
        ({"unknown": 1}, "unknown is not a known key"),
        (
            {"families": MATCH["families"] | {"gan": {"systems": {"bernoulli-vae": {}}}}},
            "bernoulli-vae, which is no gan",
        ),
        ({"families": MATCH["families"] | {"gan": {"systems": {"x": {}}}}}, "no known system"),
        (space(ema={"low": 0.5}), "low or high is missing"),
        (space(ema={"low": 0.5, "high": 0.5}), "low must be less than high"),
        (space(ema={"low": 0, "high": 1, "log": True}), "above 0"),
        (space(ema={"choices": [1], "low": 1}), "cannot be combined"),
        (
            space(learnin_rate={"low": 0.1, "high": 1.0}),
            "families.gan: system vanilla-gan has no parameter learnin_rate. Parameters .* ema",
        ),
        (
            space(ema={"choices": [0.9], "only": {"batch_size": [8]}}, batch_size={"choices": [8]}),
            "Write batch_size above ema",
        ),
        (
            space(batch_size={"choices": [8]}, ema={"choices": [0.9], "only": {"batch_size": [9]}}),
            "only if batch_size is 9, but batch_size never has this value",
        ),
        (fixed(learnin_rate=0.1), "vanilla-gan has no parameter learnin_rate"),
        (fixed(learning_rate=-1.0), "learning_rate is -1.0"),
    ],
)
def test_an_invalid_match_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        write_match(**changes)


@pytest.mark.parametrize("name", ["other", "../matches/toy", "", "."])
def test_an_unknown_match_is_refused_with_the_known_ones(name: str) -> None:
    write_match()
    with pytest.raises(ConfigError, match=f"no match {name!r}.*{NAME}"):
        read_match(name)


def extend(**values: Any) -> None:
    write_yaml(FOLDER / "extended.yaml", {"extends": NAME} | values)


def test_a_match_that_extends_another_has_its_values_but_for_its_own() -> None:
    before = write_match(**space(ema={"low": 0.5, "high": 0.9}, batch_size={"choices": [8]}))
    own = {"ema": {"choices": [0.9]}, "learning_rate": {"low": 0.1, "high": 0.2}}
    extend(trials=7, families={"gan": {"parameters": own}})
    match = read_match("extended")
    assert (match.trials, match.seconds) == (7, before.seconds)
    assert match.families["vae"] == before.families["vae"]
    parameters = match.families["gan"].parameters
    assert parameters["ema"] == MatchRange(choices=[0.9])
    assert parameters["batch_size"] == MatchRange(choices=[8])
    assert parameters["learning_rate"] == MatchRange(low=0.1, high=0.2)


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("other", "extended.yaml: extends: there is no match 'other'.*toy"),
        (3, "extends: there is no match 3"),
        ("extended", "extended itself extends match extended"),
    ],
)
def test_a_match_extends_only_a_complete_match(base: Any, message: str) -> None:
    write_match()
    extend(extends=base)
    with pytest.raises(ConfigError, match=message):
        read_match("extended")


MATCHES = sorted((ROOT / FOLDER).glob("*.yaml"))
each_match = pytest.mark.parametrize("path", MATCHES, ids=lambda path: path.stem)


@each_match
def test_every_match_draws_valid_configurations_of_both_families(path: Path) -> None:
    match = read_match(path.stem, ROOT)
    dataset = get_dataset(load_params(ROOT / match.params).data.dataset)
    channels, height, width = map(int, re.findall(r"\d+", dataset.shape)[:3])
    shape = channels, height, width
    for family in FAMILIES:
        systems = {draw(match, family, number, shape).system for number in range(match.trials)}
        assert systems <= {*match.families[family].systems}


@each_match
def test_no_variant_is_trained_from_a_seed_of_a_search_or_a_selection(path: Path) -> None:
    match = read_match(path.stem, ROOT)
    trained = {run.seed for run in load_params(ROOT / match.params).runs.values()}
    assert not trained & {match.seed, *match.selection.seeds}


def test_the_example_in_the_docs_is_a_valid_match() -> None:
    page = (ROOT / "docs/tuning.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    FOLDER.mkdir(parents=True)
    (FOLDER / "my-match.yaml").write_text(example)
    match = read_match("my-match")
    drawn = [draw(match, "gan", number, SHAPE) for number in range(match.trials)]
    assert {"penalty_share" in d.parameters for d in drawn} == {True, False}


def test_comments_do_not_change_the_checksum_and_values_do() -> None:
    match = write_match()
    path = Path("sweeps/matches/toy.yaml")
    path.write_text("# a comment\n" + path.read_text())
    assert read_match(NAME).sha256 == match.sha256
    assert write_match(trials=4).sha256 != match.sha256


def test_switches_count_each_name_once_and_the_choice_of_the_system() -> None:
    one = {"low": 0.1, "high": 1.0}
    fields = {"parameters": {"a": one}, "systems": {"x": {"b": one}, "y": {"b": one, "c": one}}}
    assert parse(FamilySpace, fields, "space").switches == 4
    assert parse(FamilySpace, {"systems": {"x": {"b": one}}}, "space").switches == 1
    assert parse(Match, MATCH, "match").families["gan"].switches == 2
    constant = {"systems": {"x": {"b": one, "c": {"choices": [True]}}}}
    assert parse(FamilySpace, constant, "space").switches == 1
    either = {"systems": {"x": {"b": one, "c": {"choices": [True], "or_off": True}}}}
    assert parse(FamilySpace, either, "space").switches == 2

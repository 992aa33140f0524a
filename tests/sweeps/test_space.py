"""Spaces: those in sweeps/ fit their models, and a fault in one is said in a line."""

from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from ganvae.config import load_params, parse
from ganvae.core.errors import ConfigError
from ganvae.sweeps.space import (
    PrunerConfig,
    Range,
    Sweep,
    applied,
    check_ranges,
    current_values,
    read_sweep,
)

PROFILES = ("params.yaml", "profiles/smoke/params.yaml")
BASE = {"schedule": {"unit": "steps", "length": 1000, "report_every": 10, "sample_every": 50,
                     "checkpoint_every": 300, "marks": [0, 500, 1000]}}  # fmt: skip


def made(**values: Any) -> Range:
    return parse(Range, values, "parameters.x")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "space", sorted((ROOT / "sweeps").glob("*.yaml")), ids=lambda one: one.stem
)
def test_every_space_fits_every_model_that_it_names(space: Path, profile: str) -> None:
    sweep, params = read_sweep(str(space)), load_params(ROOT / profile)
    for system in sweep.systems:
        check_ranges(
            sweep.ranges(system), system, params.variants[system], updates=sweep.budget == "updates"
        )


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "space", sorted((ROOT / "sweeps").glob("*.yaml")), ids=lambda one: one.stem
)
def test_the_models_of_no_profile_train_from_a_seed_that_a_space_searches(
    space: Path, profile: str
) -> None:
    trained = {run.seed for run in load_params(ROOT / profile).runs.values()}
    assert not trained & set(read_sweep(str(space)).seeds)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"learnin_rate": made(low=0.1, high=0.2)}, "dcgan has no such parameter; it has: sched"),
        ({"schedule": made(low=1, high=2)}, "parameters.schedule: dcgan has no such parameter"),
        ({"ema": made(low=0.5, high=1.5, or_off=True)}, "ema = 1.5: input should be less than 1"),
        ({"learning_rate": made(low=0.0, high=1.0)}, "learning_rate = 0.0: input should be"),
        ({"batch_size": made(low=16, high=64.0)}, "batch_size = 64.0: input should be a valid"),
        ({"generator_norm": made(choices=["batch", "layer"])}, "generator_norm = 'layer'"),
        ({"beta_1": made(low=0.1, high=0.5, or_off=True)}, "beta_1 = None"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_a_range_that_does_not_fit_the_model_is_one_line(
    ranges: dict[str, Range], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check_ranges(ranges, "dcgan", BASE)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "give low and high, or choices"),
        ({"low": 1}, "give low and high, or choices"),
        ({"low": 2, "high": 1}, "low must be less than high"),
        ({"low": 0, "high": 1, "log": True}, "low must be less than high, and above 0 if log"),
        ({"low": 1, "choices": [1]}, "neither bounds nor log nor or_off"),
        ({"choices": [1], "or_off": True}, "neither bounds nor log nor or_off"),
        ({"choices": []}, "give one or more"),
        ({"low": 0.0, "high": float("inf")}, "finite"),
        ({"lo": 1, "high": 2}, "parameters.x.lo: unknown key; allowed here: low, high"),
    ],
)
def test_a_range_that_is_none_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        made(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"by": "seed", "name": "median"}, "by curve go median and hyperband, by seed wilcoxon"),
        ({"by": "curve", "name": "wilcoxon"}, "by curve go median and hyperband"),
        ({"by": "curve", "name": "median"}, "checks: give shares of the schedule"),
        ({"by": "curve", "name": "median", "checks": [0.5, 0.2]}, "ascending"),
        ({"by": "curve", "name": "median", "checks": [0.5, 1.0]}, "between 0 and 1"),
    ],
)
def test_a_pruner_that_does_not_fit_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(PrunerConfig, values, "pruner")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objectives": ["train_seconds"]}, "fid_judge comes first"),
        ({"seeds": [1, 1]}, "seeds: each must be there once"),
        (
            {
                "objectives": ["fid_judge", "train_seconds"],
                "pruner": {"by": "seed", "name": "wilcoxon"},
            },
            "trials of two objectives cannot be pruned",
        ),
        ({"systems": {}}, "systems"),
    ],
)
def test_a_space_at_odds_with_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    values = {"description": "", "seeds": [1], "systems": {"dcgan": {}}}
    with pytest.raises(ConfigError, match=message):
        parse(Sweep, values | changes, "sweeps/x.yaml")


def test_a_space_is_for_the_models_that_it_names() -> None:
    sweep = read_sweep(str(ROOT / "sweeps/vae-beta.yaml"))
    with pytest.raises(ConfigError, match=r"this sweep is for bernoulli-vae, conv-vae, not for dc"):
        sweep.ranges("dcgan")
    assert sweep.ranges("conv-vae")["learning_rate"].low == 1e-4, "the model's own range counts"
    assert sweep.ranges("bernoulli-vae")["learning_rate"].low == 3e-4


def test_an_unknown_space_lists_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(ConfigError, match=r"no sweep 'nonsense' .*there are: dg-balance, fid-vs"):
        read_sweep("nonsense")


@pytest.mark.parametrize(
    ("range_", "value", "allowed"),
    [
        (made(low=1, high=4), 4, True),
        (made(low=1, high=4), 5, False),
        (made(low=0, high=4), 0.5, False),  # only whole numbers are drawn
        (made(low=0.0, high=4.0), 0.5, True),
        (made(low=0.0, high=4.0), 2, True),
        (made(low=0.0, high=4.0), None, False),
        (made(low=0.0, high=4.0, or_off=True), None, True),
        (made(choices=["none", "linear"]), "linear", True),
        (made(choices=["none", "linear"]), None, False),
        (made(choices=[None, 1]), None, True),
    ],
)
def test_which_values_a_range_allows(range_: Range, value: object, allowed: bool) -> None:
    assert range_.allows(value) is allowed


def test_parameters_go_where_their_dotted_names_say() -> None:
    changes = {"balance.ratio": None, "balance.d_steps": 2, "schedule.length": 7, "beta_1": 0.25}
    config: Any = applied("dcgan", BASE | {"balance": {"ratio": 2.0}}, changes)
    assert (config.balance.ratio, config.balance.d_steps, config.balance.g_steps) == (None, 2, 1)
    assert (config.schedule.length, config.schedule.report_every, config.beta_1) == (7, 10, 0.25)
    assert config.batch_size == applied("dcgan", BASE, {}).batch_size
    assert dict(current_values({"balance.ratio": made(low=1, high=2)}, "dcgan", BASE)) == {
        "balance.ratio": None
    }


@pytest.mark.parametrize("d_steps", [1, 2, 3])
@pytest.mark.parametrize("g_steps", [1, 2, 3])
def test_a_budget_of_updates_keeps_their_number(d_steps: int, g_steps: int) -> None:
    base = BASE | {"balance": {"d_steps": 1, "g_steps": 2}}
    changes = {"balance.d_steps": d_steps, "balance.g_steps": g_steps}
    config = applied("balanced-gan", base, changes, updates=True)
    a_step = d_steps + g_steps
    assert abs(config.schedule.length * a_step - 3 * 1000) <= a_step / 2
    assert abs(config.schedule.checkpoint_every * a_step - 3 * 300) <= a_step / 2
    assert config.schedule.marks == [0, round(1500 / a_step), round(3000 / a_step)]
    unscaled = applied("balanced-gan", base, changes)
    assert unscaled.schedule.length == 1000


@pytest.mark.parametrize(
    ("system", "base", "message"),
    [
        ("bernoulli-vae", BASE, "budget: updates is for models with a discriminator"),
        ("vanilla-gan", {}, "budget: updates needs a schedule in steps"),
    ],
)
def test_a_budget_of_updates_that_a_model_cannot_have_is_one_line(
    system: str, base: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        check_ranges({"batch_size": made(choices=[16])}, system, base, updates=True)


def test_a_pruner_by_seed_that_could_never_prune_is_refused() -> None:
    values = {
        "description": "A toy.",
        "seeds": [1, 2, 3, 4],
        "pruner": {"by": "seed", "name": "wilcoxon", "p": 0.1},
        "systems": {"vanilla-gan": {}},
    }
    with pytest.raises(ConfigError, match=r"toy: pruner.p = 0.1: of 4 seeds .* less than 0.125"):
        parse(Sweep, values, "toy")

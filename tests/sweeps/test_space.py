"""Test that the search spaces in sweeps/ fit their systems, and that errors are one line."""

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


def made_range(**values: Any) -> Range:
    return parse(Range, values, "parameters.x")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "space", sorted((ROOT / "sweeps").glob("*.yaml")), ids=lambda path: path.stem
)
def test_every_space_fits_every_system_that_it_names(space: Path, profile: str) -> None:
    sweep, params = read_sweep(str(space)), load_params(ROOT / profile)
    for system in sweep.systems:
        check_ranges(
            sweep.ranges(system), system, params.variants[system], updates=sweep.budget == "updates"
        )


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "space", sorted((ROOT / "sweeps").glob("*.yaml")), ids=lambda path: path.stem
)
def test_no_profile_trains_from_a_seed_of_a_search_space(space: Path, profile: str) -> None:
    trained = {run.seed for run in load_params(ROOT / profile).runs.values()}
    assert not trained & set(read_sweep(str(space)).seeds)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        (
            {"learnin_rate": made_range(low=0.1, high=0.2)},
            "dcgan has no such parameter. Parameters of this system: sched",
        ),
        (
            {"schedule": made_range(low=1, high=2)},
            "parameters.schedule: system dcgan has no such parameter",
        ),
        (
            {"ema": made_range(low=0.5, high=1.5, or_off=True)},
            "ema is 1.5, but it should be less than",
        ),
        (
            {"learning_rate": made_range(low=0.0, high=1.0)},
            "learning_rate is 0.0, but it should be",
        ),
        (
            {"batch_size": made_range(low=16, high=64.0)},
            "batch_size is 64.0, but it should be a val",
        ),
        ({"generator_norm": made_range(choices=["batch", "layer"])}, "generator_norm is 'layer'"),
        ({"beta_1": made_range(low=0.1, high=0.5, or_off=True)}, "beta_1 is None"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_a_range_that_does_not_fit_the_system_is_an_error_in_one_line(
    ranges: dict[str, Range], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check_ranges(ranges, "dcgan", BASE)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "Give both low and high, or give choices"),
        ({"low": 1}, "Give both low and high, or give choices"),
        ({"low": 2, "high": 1}, "low must be less than high"),
        (
            {"low": 0, "high": 1, "log": True},
            "low must be less than high. If log is true, low must also be above 0",
        ),
        ({"low": 1, "choices": [1]}, "cannot be combined with low, high, log or or_off"),
        ({"choices": [1], "or_off": True}, "cannot be combined with low, high, log or or_off"),
        ({"choices": []}, "choices must have at least one value"),
        ({"low": 0.0, "high": float("inf")}, "finite"),
        ({"lo": 1, "high": 2}, r"parameters\.x\.lo is not a known key\. Allowed here: low, high"),
    ],
)
def test_an_invalid_range_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        made_range(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"by": "seed", "name": "median"},
            "median and hyperband need `by: curve`, and wilcoxon needs `by: seed`",
        ),
        ({"by": "curve", "name": "wilcoxon"}, "wilcoxon needs `by: seed`"),
        ({"by": "curve", "name": "median"}, "checks must be shares of the schedule"),
        ({"by": "curve", "name": "median", "checks": [0.5, 0.2]}, "ascending"),
        ({"by": "curve", "name": "median", "checks": [0.5, 1.0]}, "between 0 and 1"),
    ],
)
def test_an_invalid_pruner_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(PrunerConfig, values, "pruner")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objectives": ["train_seconds"]}, "objectives must begin with fid_judge"),
        ({"seeds": [1, 1]}, "seeds: no seed may be repeated"),
        (
            {
                "objectives": ["fid_judge", "train_seconds"],
                "pruner": {"by": "seed", "name": "wilcoxon"},
            },
            "a sweep with two objectives cannot have a pruner",
        ),
        ({"systems": {}}, "systems"),
    ],
)
def test_a_space_with_contradictions_is_refused(changes: dict[str, Any], message: str) -> None:
    values = {"description": "", "seeds": [1], "systems": {"dcgan": {}}}
    with pytest.raises(ConfigError, match=message):
        parse(Sweep, values | changes, "sweeps/x.yaml")


def test_a_space_can_search_only_the_systems_that_it_names() -> None:
    sweep = read_sweep(str(ROOT / "sweeps/vae-beta.yaml"))
    with pytest.raises(
        ConfigError, match=r"this sweep has no ranges for system dcgan.* bernoulli-vae, conv-vae"
    ):
        sweep.ranges("dcgan")
    assert sweep.ranges("conv-vae")["learning_rate"].low == 1e-4, (
        "the system's own range takes precedence"
    )
    assert sweep.ranges("bernoulli-vae")["learning_rate"].low == 3e-4


def test_a_project_has_the_spaces_of_the_program_and_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_sweep("vae-beta") == read_sweep(str(ROOT / "sweeps/vae-beta.yaml"))
    (tmp_path / "sweeps").mkdir()
    text = (ROOT / "sweeps/vae-beta.yaml").read_text()
    for name in ("vae-beta", "mine"):
        (tmp_path / f"sweeps/{name}.yaml").write_text(
            text.replace("n_generated: 5000", "n_generated: 77")
        )
        assert read_sweep(name).n_generated == 77
    with pytest.raises(
        ConfigError,
        match=r"no search space 'nonsense' .*spaces: dg-balance, fid-vs.* mine, qu",
    ):
        read_sweep("nonsense")


@pytest.mark.parametrize(
    ("range_", "value", "allowed"),
    [
        (made_range(low=1, high=4), 4, True),
        (made_range(low=1, high=4), 5, False),
        (made_range(low=0, high=4), 0.5, False),  # only whole numbers are allowed
        (made_range(low=0.0, high=4.0), 0.5, True),
        (made_range(low=0.0, high=4.0), 2, True),
        (made_range(low=0.0, high=4.0), None, False),
        (made_range(low=0.0, high=4.0, or_off=True), None, True),
        (made_range(choices=["none", "linear"]), "linear", True),
        (made_range(choices=["none", "linear"]), None, False),
        (made_range(choices=[None, 1]), None, True),
    ],
)
def test_which_values_a_range_allows(range_: Range, value: object, allowed: bool) -> None:
    assert range_.allows(value) is allowed


def test_parameters_are_set_by_their_dotted_names() -> None:
    changes = {"balance.ratio": None, "balance.d_steps": 2, "schedule.length": 7, "beta_1": 0.25}
    config: Any = applied("dcgan", BASE | {"balance": {"ratio": 2.0}}, changes)
    assert (config.balance.ratio, config.balance.d_steps, config.balance.g_steps) == (None, 2, 1)
    assert (config.schedule.length, config.schedule.report_every, config.beta_1) == (7, 10, 0.25)
    assert config.batch_size == applied("dcgan", BASE, {}).batch_size
    assert dict(current_values({"balance.ratio": made_range(low=1, high=2)}, "dcgan", BASE)) == {
        "balance.ratio": None
    }


@pytest.mark.parametrize("d_steps", [1, 2, 3])
@pytest.mark.parametrize("g_steps", [1, 2, 3])
def test_a_budget_of_updates_keeps_the_number_of_updates(d_steps: int, g_steps: int) -> None:
    base = BASE | {"balance": {"d_steps": 1, "g_steps": 2}}
    changes = {"balance.d_steps": d_steps, "balance.g_steps": g_steps}
    config = applied("balanced-gan", base, changes, updates=True)
    per_step = d_steps + g_steps
    assert abs(config.schedule.length * per_step - 3 * 1000) <= per_step / 2
    assert abs(config.schedule.checkpoint_every * per_step - 3 * 300) <= per_step / 2
    assert config.schedule.marks == [0, round(1500 / per_step), round(3000 / per_step)]
    unscaled = applied("balanced-gan", base, changes)
    assert unscaled.schedule.length == 1000


@pytest.mark.parametrize(
    ("system", "base", "message"),
    [
        ("bernoulli-vae", BASE, "`budget: updates` needs a system with a discriminator"),
        ("vanilla-gan", {}, "`budget: updates` needs a schedule in steps"),
    ],
)
def test_a_budget_of_updates_that_cannot_be_counted_is_an_error(
    system: str, base: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        check_ranges({"batch_size": made_range(choices=[16])}, system, base, updates=True)


def test_a_pruner_by_seed_that_can_never_prune_is_refused() -> None:
    values = {
        "description": "A toy.",
        "seeds": [1, 2, 3, 4],
        "pruner": {"by": "seed", "name": "wilcoxon", "p": 0.1},
        "systems": {"vanilla-gan": {}},
    }
    with pytest.raises(ConfigError, match=r"toy: pruner.p is 0.1, but with 4 seeds .* below 0.125"):
        parse(Sweep, values, "toy")

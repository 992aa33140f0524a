"""The committed matches: both spaces hold the configurations that the project already knows."""

from collections import Counter
from statistics import median
from typing import Any

import pytest

from conftest import ROOT
from ganvae.config import flat, read_yaml
from ganvae.core.errors import ConfigError
from ganvae.matches.draw import draw
from ganvae.matches.files import read_match
from ganvae.matches.spec import Match
from ganvae.models.base import ImageShape
from ganvae.models.registry import system_config
from ganvae.scores.matches import FAMILIES, Family, match_path, read_match_record, read_stage

MNIST = (1, 28, 28)
KNOWN: dict[str, tuple[Family, str, dict[str, Any]]] = {
    "the GAN that was tuned by hand, with scaled logits": (
        "gan",
        "dcgan",
        {
            "batch_size": 32,
            "learning_rate": 5e-3,
            "learning_rate_decay": "linear",
            "beta_2": 0.99,
            "ema": 0.999,
            "latent_size": 64,
            "generator_channels": [64, 32],
            "generator_norm": "none",
            "discriminator_channels": [16, 32, 64],
            "r1": 2.0,
            "penalty_share": 0.125,
            "output_scale": 1.25,
        },
    ),
    "the GAN of the sweep": (
        "gan",
        "balanced-gan",
        {
            "batch_size": 32,
            "balance": {"g_steps": 3, "learning_rate_ratio": 6.43778, "ratio": 9.83548},
            "generator_channels": [64, 64, 32, 16],
            "discriminator_features": 128,
        },
    ),
    "the untuned GAN": (
        "gan",
        "dcgan",
        {"batch_size": 32, "generator_channels": [64, 32], "discriminator_channels": [32, 64]},
    ),
    "the VAE of the sweep, with a mixture and scaled logits": (
        "vae",
        "bernoulli-vae",
        {
            "latent_size": 29,
            "learning_rate": 0.00131603,
            "beta": 1.34907,
            "prior": "mixture",
            "prior_components": 20,
            "output_scale": 1.5,
        },
    ),
    "the VAE of the sweep with a second stage": (
        "vae",
        "bernoulli-vae",
        {"latent_size": 29, "beta": 1.34907, "prior": "second-stage"},
    ),
    "the untuned VAE": ("vae", "bernoulli-vae", {}),
    "the convolutional VAE with cross-entropy": (
        "vae",
        "conv-vae",
        {
            "likelihood": "bernoulli",
            "learning_rate": 2e-3,
            "learning_rate_decay": "linear",
            "batch_size": 64,
            "latent_size": 16,
        },
    ),
}


@pytest.fixture(scope="module")
def match() -> Match:
    return read_match("mnist", ROOT)


def outside(match: Match, family: Family, system: str, section: dict[str, Any]) -> list[str]:
    """The parameters of a configuration that the family's space cannot have."""
    space = match.families[family]
    ranges, fixed = space.ranges(system), space.fixed.get(system, {})
    base = dict(flat(system_config(system, {}).model_dump())) | fixed
    values = dict(flat(system_config(system, section).model_dump()))
    found = []
    for name, value in values.items():
        if name in ranges:
            drawn = all(values.get(other) in some for other, some in ranges[name].only.items())
            can_rest = ranges[name].or_off or not drawn
            if not ((drawn and ranges[name].allows(value)) or (can_rest and value == base[name])):
                found.append(f"{name} is {value}")
        elif value != base[name] and not name.startswith("schedule."):
            found.append(f"{name} is {value}")
    return found


@pytest.mark.parametrize("name", KNOWN)
def test_known_configurations_lie_inside_their_familys_space(match: Match, name: str) -> None:
    assert outside(match, *KNOWN[name]) == []


def test_a_configuration_outside_is_noticed(match: Match) -> None:
    assert outside(match, "vae", "bernoulli-vae", {"latent_size": 100}) == ["latent_size is 100"]
    wrong = {"loss": "hinge", "rejection": 60.0}
    with pytest.raises(ConfigError, match="rejection needs"):
        system_config("dcgan", wrong)


def test_the_first_configurations_of_both_families_are_valid(match: Match) -> None:
    for family in FAMILIES:
        for number in range(12):
            assert draw(match, family, number, MNIST).redraws < 50


@pytest.mark.parametrize(
    ("name", "shape"), [("mnist", MNIST), ("fashion", MNIST), ("faces", (1, 32, 32))]
)
def test_recorded_matches_still_have_their_content_and_their_draws(
    name: str, shape: ImageShape
) -> None:
    recorded = read_match_record(ROOT / match_path(name))
    match = read_match(name, ROOT)
    assert match.sha256 == recorded.match_sha256
    assert match.model_dump(mode="json", exclude_defaults=True) == recorded.content
    for trial in read_stage(ROOT, name, "search")[::6]:
        drawn = draw(match, trial.family, trial.trial, shape)
        assert (drawn.system, drawn.parameters) == (trial.system, trial.parameters)


def test_new_matches_have_their_own_draws_with_each_system_equally_often() -> None:
    matches = [read_match(name, ROOT) for name in ("mnist", "faces", "stacked")]
    assert [match.draws for match in matches] == [0, 2, 3]
    assert [match.redraw for match in matches] == ["configuration", "parameters", "parameters"]
    stacked = matches[-1]
    for family, numbers in (("gan", [8, 8, 7, 7]), ("vae", [15, 15])):
        systems = [draw(stacked, family, n, (3, 28, 28)).system for n in range(stacked.trials)]
        assert sorted(Counter(systems).values(), reverse=True) == numbers


@pytest.mark.parametrize("name", ["faces", "stacked"])
def test_averages_of_new_matches_are_warmed_up(name: str) -> None:
    match = read_match(name, ROOT)
    for family in FAMILIES:
        for number in range(12):
            config = draw(match, family, number, MNIST).config
            assert config.ema_warmup == (config.ema is not None)


def test_both_spaces_have_the_same_kinds_of_switches(match: Match) -> None:
    shared = {*match.families["gan"].parameters} & {*match.families["vae"].parameters}
    assert {"batch_size", "learning_rate", "learning_rate_decay", "ema", "output_scale"} <= shared
    counts = [match.families[family].switches for family in FAMILIES]
    assert max(counts) <= 1.4 * min(counts)


def test_the_first_matches_are_as_weak_as_the_pages_say() -> None:
    """docs/tuning.md and docs/datasets.md quote these numbers."""
    mnist, fashion = (read_stage(ROOT, name, "search") for name in ("mnist", "fashion"))
    pairs = list(zip(mnist, fashion, strict=True))
    for first, second in pairs:
        assert (first.family, first.trial, first.system) == (
            *(second.family, second.trial, second.system),
        )
        assert first.parameters == second.parameters
    systems = Counter(trial.system for trial in mnist)
    assert (systems["dcgan"], systems["vanilla-gan"]) == (11, 23)
    assert systems["bernoulli-vae"] == systems["conv-vae"] == 30
    for family, kept, share in (("gan", [8, 15], 0.45), ("vae", [3, 9], 0.37)):
        slow = [[t for t in trials if t.family == family and t.parameters["ema"] == 0.999]
                for trials in (mnist, fashion)]  # fmt: skip
        assert [sum(0.999**t.steps >= 0.25 for t in trials) for trials in slow] == kept
        ratios = [b.steps / a.steps for a, b in pairs if a.family == family]
        assert median(ratios) == pytest.approx(share, abs=0.005)
    collapsed = [trial for trial in mnist if trial.status == "collapsed"]
    averaged = [trial for trial in collapsed if trial.parameters["ema"] == 0.999]
    assert Counter(trial.family for trial in collapsed) == {"gan": 12, "vae": 4}
    assert Counter(trial.family for trial in averaged) == {"gan": 7, "vae": 4}
    winners = {read_yaml(ROOT / path)["promoted"]["gan-finalist"]["trial"]
               for path in ("promoted.yaml", "profiles/fashion/promoted.yaml")}  # fmt: skip
    assert winners == {7}

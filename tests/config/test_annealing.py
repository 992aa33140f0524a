"""The section on annealed importance sampling, and messages about its faults."""

from typing import Any

import pytest

from conftest import ROOT
from ganvae.config import AnnealingSettings, Params, parse, read_yaml
from ganvae.core.errors import ConfigError

RUN = "dcgan-0"


def with_annealing(section: dict[str, Any]) -> Params:
    values = read_yaml(ROOT / "profiles/smoke/params.yaml")
    return parse(Params, values | {"annealing": section}, "params.yaml")


def with_settings(**settings: Any) -> dict[str, Any]:
    return {"runs": [RUN], "settings": settings}


def test_settings_that_are_not_given_have_defaults() -> None:
    annealing = with_annealing(with_settings(images=7)).annealing
    assert annealing.runs == [RUN]
    assert annealing.settings == AnnealingSettings(images=7)
    assert annealing.settings.distributions == 1000


def test_without_runs_no_settings_are_needed() -> None:
    assert with_annealing({"runs": []}).annealing.runs == []


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"runs": ["dcgan-99"], "settings": {}}, ".runs names dcgan-99, but dcgan-99 is not a"),
        ({"runs": [RUN, RUN], "settings": {}}, ": runs: no run may be repeated."),
        ({"runs": [RUN]}, ": runs names runs, but settings is missing. Write `settings: {}` to "),
        ({}, ".runs is missing."),
        ({"runs": [], "images": 5}, ".images is not a known key. Allowed here: runs, settings."),
        (with_settings(chain=5), ".settings.chain is not a known key. Allowed here: images, simu"),
        (with_settings(distributions=0), ".settings.distributions is 0, but it should be greater"),
        (with_settings(images=1), ".settings.images is 1, but it should be greater than or equal"),
        (with_settings(variances=[]), ".settings.variances is [], but the list should have"),
        (with_settings(variances=[0.1, 0.0]), ".settings.variances.1 is 0.0, but it should be gr"),
    ],
)
def test_each_fault_gives_one_line(section: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        with_annealing(section)
    assert str(error.value).startswith(f"params.yaml: annealing{message}")
    assert "\n" not in str(error.value)

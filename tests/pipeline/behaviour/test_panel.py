"""Every option of every system is tried, and changes what is recorded."""

import json
from typing import Any

import pytest

from conftest import ROOT
from ganvae.config import flat
from ganvae.core.tokens import token_path
from ganvae.models.registry import system_class, system_config, system_names
from ganvae.pipeline.behaviour.panel import COMMON, DEFAULTS, SMALL, panel

RECORDS = ROOT / "behaviour/records"


def record(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((RECORDS / f"{name}.json").read_text())
    return content["behaviour"]


@pytest.mark.parametrize("name", system_names())
def test_every_parameter_is_set_in_the_panel(name: str) -> None:
    parameters = {key for entry in panel(name).values() for key in entry.parameters}
    fields = system_class(name).config_class.model_fields
    assert parameters == set(fields), "add the new parameter to ganvae.pipeline.behaviour.panel"
    balance = fields.get("balance")
    if balance:
        sections = [entry.parameters.get("balance", {}) for entry in panel(name).values()]
        tried = {key for section in sections for key in section}
        assert tried == set(balance.annotation.model_fields)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", system_names())
def test_every_option_changes_what_training_does(name: str) -> None:
    """If an option changed nothing here, it could break without moving a fingerprint."""
    options = record(f"train/{name}")["options"]
    assert set(options) - {"a whole run"} == set(panel(name))
    plain = {"no rule"} if name != "balanced-gan" else set()
    results = {
        title: json.dumps([entry["weights"], entry.get("samples")])
        for title, entry in options.items()
        if title not in plain
    }
    assert len(set(results.values())) == len(results), "two options with the same results"


@pytest.mark.parametrize("name", system_names())
def test_the_balancing_rule_skips_steps_of_both_networks(name: str) -> None:
    options = record(f"train/{name}")["options"]
    rules = [entry for title, entry in options.items() if title.startswith("rule")]
    rows = [dict(row) for entry in rules for row in entry["losses"]]
    for side in ("d_skipped", "g_skipped"):
        assert not rules or any(row[side] > 0 for row in rows), side


@pytest.mark.parametrize("name", system_names())
def test_defaults_are_tried_or_recorded(name: str) -> None:
    recorded = record(f"train/{name}")
    assert set(recorded["defaults"]) == set(DEFAULTS.parameters)
    config = system_config(name, {})
    assert recorded["defaults"]["batch_size"] == config.batch_size
    assert recorded["defaults"]["schedule"]["length"] == config.schedule.length


def test_every_system_has_small_widths() -> None:
    assert set(SMALL) == set(system_names())
    assert set(COMMON) <= set(panel("dcgan"))


def test_every_record_has_a_token() -> None:
    records = {path.relative_to(RECORDS).with_suffix("") for path in RECORDS.rglob("*.json")}
    for name in records:
        assert (ROOT / token_path(str(name))).exists()
    assert len(records) == 6 + 2 * len(system_names())


def test_defaults_equal_the_recorded_ones() -> None:
    """A changed default fails here until the record of the systems is updated."""
    for name, facts in record("systems").items():
        now = dict(flat(system_config(name, {}).model_dump(mode="json")))
        for key, value in flat(facts["defaults"]):
            assert now[key] == value, f"{name}: {key}"

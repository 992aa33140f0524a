"""docs/models.md says what the code says."""

import json
import re
import runpy

import pytest

from conftest import ROOT
from ganvae.config import flat
from ganvae.models.registry import system_class, system_config, system_names

SCRIPT = ROOT / "docs/make_models.py"
WRITER = runpy.run_path(str(SCRIPT))
PAGE = (ROOT / "docs/models.md").read_text(encoding="utf-8")


def section(system: str) -> str:
    _, heading, rest = PAGE.partition(f"\n## {system}\n")
    assert heading, "run `make docs`"
    return rest.split("\n## ")[0]


def rows(system: str) -> dict[str, str]:
    """The defaults that the page's table of a system has, by parameter."""
    found = re.findall(r"^\| `([\w.]+)` \| `([^`]*)` \| .+ \|$", section(system), re.MULTILINE)
    return dict(found)


def test_the_tables_are_what_the_script_writes() -> None:
    assert WRITER["page"](PAGE) == PAGE, "run `make docs`"


@pytest.mark.parametrize("name", system_names())
def test_every_parameter_is_in_the_table_with_its_default(name: str) -> None:
    config = system_config(name, {})
    expected = dict(flat(config.model_dump()))
    printed = rows(name)
    assert printed.keys() == expected.keys()
    for parameter, default in expected.items():
        text = printed[parameter]
        assert (json.loads(text) if not isinstance(default, str) else text) == default, parameter


@pytest.mark.parametrize("name", system_names())
def test_the_source_is_linked(name: str) -> None:
    for paper in re.findall(r"\d{4}\.\d{5}|\d{4}\.\d{4}", system_class(name).source):
        assert f"https://arxiv.org/abs/{paper}" in section(name)


def test_every_meaning_written_in_the_script_is_used() -> None:
    parameters = {name: dict(flat(system_config(name, {}).model_dump())) for name in system_names()}
    assert WRITER["MEANINGS"].keys() <= {key for keys in parameters.values() for key in keys}
    for system, meanings in WRITER["OF_SYSTEM"].items():
        assert meanings.keys() <= parameters[system].keys()


def test_a_system_without_a_section_gets_one() -> None:
    without = PAGE.split("\n## vae-gan\n")[0]
    added = WRITER["page"](without)
    assert added.startswith(without.rstrip("\n"))
    assert "\n## vae-gan\n" in added
    assert "| `real_target` | `0.9` |" in added

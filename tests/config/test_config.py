"""Every fault in params.yaml is named by file, key, value and what is allowed."""

from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from ganvae.config import Params, load_params, parse, read_yaml
from ganvae.core.errors import ConfigError
from ganvae.models.registry import system_config

PROFILES = [ROOT / "params.yaml", *sorted(ROOT.glob("profiles/*/params.yaml"))]


@pytest.fixture
def values() -> dict[str, Any]:
    return read_yaml(ROOT / "params.yaml")


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_committed_profiles_are_valid(path: Path) -> None:
    params = load_params(path)
    assert (path.parent / params.root).resolve() == ROOT
    assert ROOT / params.file == path
    for name, section in params.variants.items():
        system_config(params.system(name), section)


def test_a_profile_is_called_as_its_folder_is_but_the_first() -> None:
    folders = [path.parent.name for path in PROFILES[1:]]
    assert {"faces", "fashion", "full", "likelihood", "smoke", "stacked"} <= set(folders)
    assert [load_params(path).profile for path in PROFILES] == ["laptop", *folders]


def test_unknown_key_names_the_allowed_ones(values: dict[str, Any]) -> None:
    values["compute"]["divice"] = "cpu"
    with pytest.raises(ConfigError, match=r"here\.compute\.divice: unknown key.*device, threads"):
        parse(Params, values, "here")


def test_wrong_type_names_key_and_value(values: dict[str, Any]) -> None:
    values["evaluation"]["n_generated"] = "many"
    with pytest.raises(ConfigError, match=r"evaluation\.n_generated = 'many': .*valid integer"):
        parse(Params, values, "here")


def test_out_of_range_names_the_bound(values: dict[str, Any]) -> None:
    values["evaluation"]["inception_score_splits"] = 1
    with pytest.raises(ConfigError, match=r"splits = 1: .*greater than or equal to 2"):
        parse(Params, values, "here")


def test_missing_key_is_named(values: dict[str, Any]) -> None:
    del values["data"]["split_seed"]
    with pytest.raises(ConfigError, match=r"here\.data\.split_seed: missing"):
        parse(Params, values, "here")


def test_every_fault_has_its_line(values: dict[str, Any]) -> None:
    values["compute"]["device"] = "tpu"
    values["data"]["train_size"] = -1
    with pytest.raises(ConfigError) as error:
        parse(Params, values, "here")
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (
            {"variant": "dcgan", "system": "dcgan", "seed": 9, "file": "params.yaml"},
            "must be named dcgan-9",
        ),
        (
            {"variant": "vanilla-gan", "system": "dcgan", "seed": 0, "file": "params.yaml"},
            "all runs of vanilla-gan must have the same",
        ),
    ],
)
def test_runs_must_name_themselves(values: dict[str, Any], run: dict, message: str) -> None:
    values["runs"]["vanilla-gan-0"] = run
    with pytest.raises(ConfigError, match=message):
        parse(Params, values, "here")


def test_an_inception_score_of_too_few_images_is_refused(values: dict[str, Any]) -> None:
    values["evaluation"] |= {"n_generated": 99, "inception_score_splits": 10}
    with pytest.raises(ConfigError, match="n_generated = 99: must be at least 10 times"):
        parse(Params, values, "here")


def test_a_note_on_a_model_that_is_not_there(values: dict[str, Any]) -> None:
    values["tuned"] = ["vanila-gan"]
    with pytest.raises(ConfigError, match=r"tuned\.vanila-gan: has no section under variants"):
        parse(Params, values, "here")
    values["tuned"] = []
    values["notes"] = {"vanila-gan": "typo"}
    with pytest.raises(ConfigError, match=r"notes\.vanila-gan: has no section under variants"):
        parse(Params, values, "here")


def test_run_of_a_model_without_section(values: dict[str, Any]) -> None:
    del values["variants"]["dcgan"]
    with pytest.raises(ConfigError, match="dcgan has no section under variants"):
        parse(Params, values, "here")


def test_model_section_knows_its_keys() -> None:
    with pytest.raises(ConfigError, match=r"variants\.dcgan\.hidden: unknown key; .*latent_size"):
        system_config("dcgan", {"hidden": [1]})
    with pytest.raises(
        ConfigError, match=r"variants\.vanilla-gan\.batch_size = 7: .*multiple of 2"
    ):
        system_config("vanilla-gan", {"batch_size": 7})
    with pytest.raises(ConfigError, match=r"hidden\.generator = \[\]: list should have at least 1"):
        system_config("vanilla-gan", {"hidden": {"generator": [], "discriminator": [1]}})


def test_unknown_model_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'gann' is unknown; .*dcgan, .*vanilla-gan"):
        system_config("gann", {})


def test_numbers_are_read_as_dvc_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("rate: 2e-4\nswitch: off\n")
    assert read_yaml(path) == {"rate": 2e-4, "switch": "off"}  # YAML 1.2


@pytest.mark.parametrize("text", ["a: [1", "- 1", ""])
def test_not_a_yaml_mapping(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=str(path)):
        read_yaml(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_params(tmp_path / "none.yaml")

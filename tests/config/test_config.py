"""Errors in params.yaml are reported with the file, the key, its value and the allowed values."""

import re
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from ganvae.config import Params, load_params, parse, read_yaml
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.paths import SUBMITTED
from ganvae.models.registry import system_config
from ganvae.scores.matches import MATCHES
from ganvae.scores.studies import SWEEPS

PROFILES = [ROOT / "params.yaml", *sorted(ROOT.glob("profiles/*/params.yaml"))]


@pytest.fixture
def values() -> dict[str, Any]:
    return read_yaml(ROOT / "params.yaml")


@pytest.mark.parametrize("name", [MATCHES.name, SUBMITTED.name, SWEEPS.name])
def test_the_name_of_a_folder_with_other_results_is_refused(
    values: dict[str, Any], name: str
) -> None:
    with pytest.raises(ConfigError, match=f"profile is {name}, but results/{name} has other files"):
        parse(Params, values | {"profile": name}, "here")


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_committed_profiles_are_valid(path: Path) -> None:
    params = load_params(path)
    assert (path.parent / params.root).resolve() == ROOT
    assert ROOT / params.file == path
    for name, section in params.variants.items():
        system_config(params.system(name), section)


def test_a_profile_is_named_after_its_folder_except_laptop() -> None:
    folders = [path.parent.name for path in PROFILES[1:]]
    assert {"faces", "fashion", "full", "likelihood", "smoke", "stacked"} <= set(folders)
    assert [load_params(path).profile for path in PROFILES] == ["laptop", *folders]


def test_an_unknown_key_lists_the_allowed_keys(values: dict[str, Any]) -> None:
    values["compute"]["divice"] = "cpu"
    with pytest.raises(ConfigError, match=r"here\.compute\.divice is not a known key.*device, thr"):
        parse(Params, values, "here")


def test_a_wrong_type_is_reported_with_key_and_value(values: dict[str, Any]) -> None:
    values["evaluation"]["n_generated"] = "many"
    with pytest.raises(ConfigError, match=r"n_generated is 'many', but it should be a valid int"):
        parse(Params, values, "here")


def test_a_value_out_of_range_is_reported_with_its_bound(values: dict[str, Any]) -> None:
    values["evaluation"]["inception_score_splits"] = 1
    with pytest.raises(ConfigError, match=r"splits is 1, but .*greater than or equal to 2"):
        parse(Params, values, "here")


def test_a_missing_key_is_reported(values: dict[str, Any]) -> None:
    del values["data"]["split_seed"]
    with pytest.raises(ConfigError, match=r"here\.data\.split_seed is missing"):
        parse(Params, values, "here")


def test_errors_have_one_line_per_fault(values: dict[str, Any]) -> None:
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
        (
            {"variant": "vanilla-gan", "system": "vanilla-gan", "seed": 0, "file": "promoted.yaml"},
            r"file is promoted\.yaml, but .* variants\.vanilla-gan, which is params\.yaml",
        ),
    ],
)
def test_runs_must_fit_their_names(values: dict[str, Any], run: dict, message: str) -> None:
    values["runs"]["vanilla-gan-0"] = run
    with pytest.raises(ConfigError, match=message):
        parse(Params, values, "here")


def test_too_few_images_for_the_inception_score_are_refused(values: dict[str, Any]) -> None:
    values["evaluation"] |= {"n_generated": 99, "inception_score_splits": 10}
    with pytest.raises(ConfigError, match="n_generated is 99, but it must be at least 10 times"):
        parse(Params, values, "here")


def test_a_note_on_an_unknown_variant_is_refused(values: dict[str, Any]) -> None:
    values["tuned"] = ["vanila-gan"]
    with pytest.raises(ConfigError, match=r"tuned names vanila-gan, but .* no section under va"):
        parse(Params, values, "here")
    values["tuned"] = []
    values["notes"] = {"vanila-gan": "typo"}
    with pytest.raises(ConfigError, match=r"notes names vanila-gan, but .* no section under va"):
        parse(Params, values, "here")


def test_a_run_of_a_variant_without_section_is_refused(values: dict[str, Any]) -> None:
    del values["variants"]["dcgan"]
    with pytest.raises(ConfigError, match="dcgan has no section under variants"):
        parse(Params, values, "here")


def test_variant_sections_are_validated() -> None:
    with pytest.raises(ConfigError, match=r"variants\.dcgan\.hidden is not a known key.*latent_"):
        system_config("dcgan", {"hidden": [1]})
    with pytest.raises(
        ConfigError, match=r"variants\.vanilla-gan\.batch_size is 7, but .*multiple of 2"
    ):
        system_config("vanilla-gan", {"batch_size": 7})
    with pytest.raises(ConfigError, match=r"hidden\.generator is \[\], but the list should have"):
        system_config("vanilla-gan", {"hidden": {"generator": [], "discriminator": [1]}})


def test_an_unknown_system_lists_the_known_systems() -> None:
    with pytest.raises(ConfigError, match=r"'gann' is unknown.* .*dcgan, .*vanilla-gan"):
        system_config("gann", {})


def test_numbers_are_read_as_in_dvc(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("rate: 2e-4\nswitch: off\n")
    assert read_yaml(path) == {"rate": 2e-4, "switch": "off"}  # YAML 1.2


@pytest.mark.parametrize("text", ["a: [1", "- 1", ""])
def test_a_file_without_a_yaml_mapping_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=str(path)):
        read_yaml(path)


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("# only a comment\n")
    with pytest.raises(ConfigError, match=r"params\.yaml is empty, but it must have `key: value`"):
        load_params(tmp_path / "params.yaml")


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_params(tmp_path / "none.yaml")


def test_messages_separate_the_file_from_the_key(values: dict[str, Any]) -> None:
    values["compute"]["threads"] = 0
    with pytest.raises(ConfigError, match=r"^params\.yaml: compute\.threads is 0, but it should"):
        parse(Params, values, "params.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("profile: caf\xe9".encode("latin-1"), r"is not UTF-8 text \(byte 12 is 0xe9\)\. Save"),
        ("profile: x".encode("utf-16"), r"is not UTF-8 text \(byte 0 is 0xff\)\. Save"),
        (b"a: " + b"[" * 5000, r"has too many levels of nesting\. Use fewer levels"),
        (b"a: " + b"9" * 5000, "is not valid YAML: Exceeds the limit"),
        (b"a: 99999999999999999999", "has the number 99999999. with 20 digits, but numbers"),
        (b'a: "\\ud800"', "has the text .*, which UTF-8 cannot encode"),
        (b"1: a", "has the key 1, which is not text"),
        (b"a: &x [*x]", "has a value that contains an alias of itself"),
        (
            b"a: &a [1, 1]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (n + 1, n + 1, n, n)
                                        for n in range(97, 121)),
            "has more than 1,000,000 values. Use fewer aliases",
        ),
        (b"a: 2001-99-99", "is not valid YAML: month must be in"),
    ],
)  # fmt: skip
def test_odd_yaml_gives_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(UserError, match=f"params.yaml {message}") as error:
        read_yaml(tmp_path / "params.yaml")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("runs.dcgan-0.colour", 1, "is not a known key. Allowed here: variant, system, seed, file"),
        ("evaluation.inversion.colour", 1, "is not a known key. Allowed here: images, restarts"),
        ("effort", {"unequal": "a", "colour": 1}, ".colour is not a known key. Allowed here: uneq"),
        ("data.split_seed", 2**32, "is 4294967296, but it should be less than or equal to"),
        ("runs.dcgan-0.variant", "a;touch x;b", "is 'a;touch x;b', but the string should match"),
        ("runs.dcgan-0.file", "$(touch x)", "is '.*touch x.*', but the string should match"),
        ("root", "`touch x`", "is '`touch x`', but the string should match"),
        ("baselines", {"seeds": [0, 0]}, "seeds: no seed may be repeated"),
        ("compute.threads", 10**6, "is 1000000, but it should be less than or equal to 1024"),
        ("profile", "a b", "is 'a b', but the string should match"),
    ],
)
def test_faults_deep_inside_are_named(
    values: dict[str, Any], key: str, value: object, message: str
) -> None:
    *parents, last = key.split(".")
    inner = values
    for part in parents:
        inner = inner[part]
    inner[last] = value
    with pytest.raises(ConfigError, match=rf"params\.yaml: {re.escape(key)}.*{message}"):
        parse(Params, values, "params.yaml")

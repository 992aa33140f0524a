"""The pipeline's files agree with each other, and each stage only reads the files that it may."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from conftest import ROOT
from forks import python
from ganvae.config import read_yaml
from test_architecture import imports

MEASURING = "data/${profile}/measuring.json"
"""The settings and the checksums of the files that measuring reads."""
PIPELINES = [ROOT / "dvc.yaml", *sorted(ROOT.glob("profiles/*/dvc.yaml"))]


@pytest.fixture
def stages() -> dict[str, Any]:
    pipeline = read_yaml(ROOT / "dvc.yaml")["stages"]
    return {name: stage.get("do", stage) for name, stage in pipeline.items()}


@pytest.fixture
def across() -> Any:
    return read_yaml(ROOT / "results/dvc.yaml")["stages"]["across"]


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.parent.name)
def test_every_profile_has_the_same_pipeline(path: Path) -> None:
    """Only the line with the place of the parameters differs."""
    laptop = (ROOT / "dvc.yaml").read_text()
    place = path.with_name("params.yaml").relative_to(ROOT)
    line = "  - params_file: {} "
    assert path.read_text() == laptop.replace(line.format("params.yaml"), line.format(place))
    assert read_yaml(ROOT / place)["file"] == str(place)


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("**/dvc.yaml")), ids=lambda path: path.parent.name
)
def test_no_parameter_enters_a_command(path: Path) -> None:
    """A shell runs the commands. `params_file` stands in dvc.yaml itself."""
    for stage in read_yaml(path)["stages"].values():
        command = stage.get("do", stage)["cmd"].replace("${params_file}", "")
        assert "$" not in command


@pytest.mark.slow
def test_odd_names_of_runs_reach_no_shell(tmp_path: Path) -> None:
    """Plain `dvc repro` does not validate params.yaml before it runs a command."""
    for name in ("dvc.yaml", "promoted.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    key = "a;touch shell;b-0"
    values = read_yaml(ROOT / "profiles/smoke/params.yaml") | {"root": ".", "file": "params.yaml"}
    run = {"variant": key[:-2], "system": "x", "seed": 0, "file": "params.yaml"}
    values |= {"runs": {key: run}, "variants": {key[:-2]: {}}, "promotions": "promoted.yaml"}
    with (tmp_path / "params.yaml").open("w") as file:
        YAML().dump(values, file)
    for path in ("behaviour/tokens/train/x.json", "data/smoke/train.safetensors"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    shutil.copytree(ROOT / "stages", tmp_path / "stages")
    subprocess.run(["dvc", "init", "--no-scm", "--quiet"], cwd=tmp_path, check=True)
    command = ["dvc", "repro", "--single-item", f"train@{key}"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "params.yaml: runs.a;touch shell;b-0.variant is" in ran.stderr, ran.stdout + ran.stderr
    assert not (tmp_path / "shell").exists()


def test_no_stage_depends_on_the_class_folders(stages: dict[str, Any]) -> None:
    assert stages["by_class"]["outs"] == ["data/${profile}/by_class"]
    for name, stage in stages.items():
        assert not any("data/${profile}/by_class" in path for path in stage["deps"]), name


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.parent.name)
def test_every_parameter_of_a_stage_exists(stages: dict[str, Any], path: Path) -> None:
    """DVC refuses to run if a parameter is missing."""
    params = read_yaml(path.with_name("params.yaml"))
    for stage in stages.values():
        if "params" not in stage:
            continue
        ((_, keys),) = stage["params"][0].items()
        assert {key.split(".")[0] for key in keys} <= params.keys()


def test_pin_4_only_evaluation_opens_the_test_split(stages: dict[str, Any]) -> None:
    readers = {name for name, stage in stages.items() if any("test.s" in d for d in stage["deps"])}
    assert readers == {"anneal", "by_class", "reference"}
    by_checksum = {name for name, stage in stages.items() if MEASURING in stage["deps"]}
    assert by_checksum == {"evaluate", "draw", "baselines"}
    opened = {
        str(file.relative_to(ROOT))
        for file in [*ROOT.glob("stages/*.py"), *ROOT.glob("src/ganvae/**/*.py")]
        if 'split("test")' in file.read_text() and "behaviour" not in file.parts
    }
    assert opened == {
        "stages/reference.py",
        "src/ganvae/evaluation/annealed.py",
        "src/ganvae/evaluation/runs.py",
        "src/ganvae/evaluation/submitted.py",
    }


CHEAP = {"compare", "report"}
"""Stages that take seconds depend on the source code itself."""
PAGES = {*CHEAP, "across"}


def test_expensive_stages_depend_on_behaviour_and_not_on_source_text(
    stages: dict[str, Any],
) -> None:
    for name in stages.keys() - CHEAP:
        watched = stages[name]["deps"]
        assert not [path for path in watched if path.startswith(("src", "stages"))], name
        tokens = [path for path in watched if path.startswith("behaviour")]
        assert tokens, name
        for token in tokens:
            assert (ROOT / token.replace("${item.system}", "dcgan")).exists(), token


def test_a_run_only_depends_on_the_behaviour_of_its_system(stages: dict[str, Any]) -> None:
    for name, fingerprint in {
        "train": "train",
        "evaluate": "evaluate-run",
        "draw": "draw-run",
    }.items():
        tokens = [path for path in stages[name]["deps"] if path.startswith("behaviour")]
        assert tokens == [f"behaviour/tokens/{fingerprint}/${{item.system}}.json"]


def test_a_new_run_in_the_list_makes_no_other_log_likelihood_stale(stages: dict[str, Any]) -> None:
    assert stages["anneal"]["params"] == [
        {"${file}": ["annealing.settings", "compute.device", "compute.threads"]}
    ]


def test_behaviour_depends_on_all_of_the_code(stages: dict[str, Any]) -> None:
    watched = read_yaml(ROOT / "behaviour/dvc.yaml")["stages"]["behaviour"]["deps"]
    assert {"src/ganvae", "requirements.lock", "stages/behaviour.py"} == set(watched)


def test_measured_times_make_no_later_stage_stale(
    stages: dict[str, Any],
) -> None:
    assert not any("timing" in path for path in stages["evaluate"]["deps"])


@pytest.mark.parametrize(
    ("stage", "arguments", "message"),
    [
        (
            "train",
            ["params.yaml", "dcgan-99"],
            "has no run 'dcgan-99'. Choose one of these runs: ",
        ),
        ("train", ["nowhere.yaml", "dcgan-0"], "nowhere.yaml cannot be read"),
        (
            "anneal",
            ["params.yaml", "dcgan-99"],
            "has no run 'dcgan-99'. Choose one of these runs: ",
        ),
        (
            "judge",
            ["judges/params.yaml", "birds", "x"],
            "has no judge 'birds'. Choose one of these: mnist",
        ),
    ],
)
def test_a_wrong_call_of_a_stage_prints_one_line(
    stage: str, arguments: list[str], message: str
) -> None:
    process = python(f"stages/{stage}.py", *arguments, cwd=ROOT)
    assert process.returncode == 1
    assert process.stderr.startswith("error: ")
    assert message in process.stderr
    assert "Traceback" not in process.stderr


PLUMBING = {
    "config/",
    "core/assets.py",
    "core/errors.py",
    "core/files.py",
    "core/limits.py",
    "core/paths.py",
    "core/records.py",
    "core/tensors.py",
    "core/tokens.py",
    "data/",
    "models/names.py",
    "models/own_code.py",
    "pipeline/owner.py",
    "pipeline/project/tokens.py",
    "pipeline/stage.py",
}
"""Files that transport parameters and data, or check the code, and decide no numbers."""
IMPORTED_ONLY = {"core/images.py", "core/seeds.py", "judge/kinds.py", "models/"}
"""Files that pages import only for a constant, a type or something other than results."""


def reached(script: Path) -> set[str]:
    """The package's files that a script imports, directly or not, in the form `models/vae.py`."""
    imported: set[Path] = set()
    waiting = [script]
    while waiting:
        names = {name for name in imports(waiting.pop()) if name.startswith("ganvae.")}
        modules = names | {name.rpartition(".")[0] for name in names}  # a name may be an object
        files = {ROOT / f"src/{module.replace('.', '/')}.py" for module in modules}
        new = {file for file in files if file.exists()} - imported
        imported |= new
        waiting += new
    return {str(file.relative_to(ROOT / "src/ganvae")) for file in imported}


def missed(name: str, stage: dict[str, Any]) -> set[str]:
    """The imported files that can change a stage's results but are not among its dependencies."""
    watched = {
        path.removeprefix("src/ganvae/") + ("" if path.endswith(".py") else "/")
        for path in stage["deps"]
        if path.startswith("src/ganvae/")
    }
    known = tuple(watched | PLUMBING | (IMPORTED_ONLY if name in PAGES else set()))
    return {file for file in reached(ROOT / f"stages/{name}.py") if not file.startswith(known)}


def test_an_edit_that_can_change_a_page_makes_its_stage_stale(
    stages: dict[str, Any], across: Any
) -> None:
    cheap = {name: stages[name] for name in CHEAP}
    for name, stage in {**cheap, "across": across}.items():
        assert not missed(name, stage), f"{name} does not depend on {missed(name, stage)}"


def test_an_edit_that_can_change_a_judge_makes_its_stage_stale() -> None:
    for name, stage in read_yaml(ROOT / "judges/dvc.yaml")["stages"].items():
        script = "second_judge" if name.endswith("-unlabelled") else "judge"
        assert not missed(script, stage), f"{name} does not depend on {missed(script, stage)}"


def test_the_page_across_data_sets_depends_on_every_profile_in_it(across: Any) -> None:
    watched = {file for entry in across["params"] for file in entry}
    files = read_yaml(ROOT / "results/params.yaml")["profiles"]
    assert watched == {"results/params.yaml", *files}
    for file in files:
        profile = Path(file).parent.name or "laptop"
        for part in ("runs", "scores.json"):
            assert f"results/{profile}/{part}" in across["deps"]

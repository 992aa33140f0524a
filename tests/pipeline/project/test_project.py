"""Projects outside the clone: their files, their tokens, and the checks of `ganvae check`."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from ganvae.config import load_params, read_yaml
from ganvae.config.profiles import profile_of
from ganvae.core import assets
from ganvae.core.errors import ConfigError, DataError, UserError
from ganvae.core.tokens import is_project
from ganvae.models import own
from ganvae.pipeline.preflight import check_models
from ganvae.pipeline.project import new, tokens
from ganvae.pipeline.project.check import Finding, check
from ganvae.pipeline.project.new import new_project, own_pipeline
from ganvae.pipeline.project.tokens import refresh
from ganvae.pipeline.stage import DVC_STAGE, run_stage

MODEL = "models/flow_matching.py"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project, with the measured tokens of this clone."""
    monkeypatch.setattr(tokens, "is_current", lambda root: True)
    assert new_project(tmp_path / "mine", "mnist") == []
    return tmp_path / "mine"


def texts(project: Path) -> dict[str, str]:
    folder = project / "behaviour/tokens"
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.json")}


# New projects


def test_a_project_is_no_clone(project: Path) -> None:
    assert is_project(project)
    assert not is_project(ROOT)


def test_the_parameters_of_a_new_project_are_valid(project: Path) -> None:
    main, smoke = (load_params(project / p / "params.yaml") for p in ("", "profiles/smoke"))
    assert main.runs["flow-matching-0"].system == MODEL
    assert main.data == load_params(ROOT / "params.yaml").data
    assert smoke.data.train_size == new.FEW_TRAINING_IMAGES
    assert main.evaluation.n_generated == 10000
    assert main.evaluation.unlabelled_judge


def test_a_project_is_a_git_repository_unless_it_is_inside_of_one(project: Path) -> None:
    assert (project / ".git").is_dir()
    assert new_project(project / "inner", "mnist") == []
    assert not (project / "inner/.git").exists()
    assert "no_scm = true" in (project / "inner/.dvc/config").read_text()


def test_a_pipeline_of_a_project_needs_no_source_code(project: Path) -> None:
    """Each dependency is an output of a stage, a token, or a file of the project."""
    refresh(project)
    for folder in (project, project / "profiles/smoke"):
        text = (folder / "dvc.yaml").read_text()
        assert not re.search(r"^[^#]*\b(?:src|stages)/", text, flags=re.MULTILINE)
        parameters = read_yaml(folder / "params.yaml")
        found = set(re.findall(r"- (behaviour/tokens/\S+)", text))
        for token in found:
            path = token.replace("${item.system}", MODEL)
            assert (project / path).exists(), path
        assert f"params_file: {parameters['file']}" in text
    assert len(found) > 8


def test_no_stage_runs_after_a_model_was_edited(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise DVC would keep results of the new code as results of the old code."""
    refresh(project)
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "argv", ["stages/train.py"])
    monkeypatch.setenv(DVC_STAGE, "train@flow-matching-0")
    ran: list[str] = []
    run_stage(lambda: ran.append("before"), None, by_behaviour=True)
    (project / MODEL).write_text((project / MODEL).read_text() + "\n")
    with pytest.raises(SystemExit, match="code of a model or of ganvae was edited after this comm"):
        run_stage(lambda: ran.append("after"), None, by_behaviour=True)
    refresh(project)
    run_stage(lambda: ran.append("again"), None, by_behaviour=True)
    assert ran == ["before", "again"]


def test_every_stage_of_a_project_is_a_script(project: Path) -> None:
    names = re.findall(r"project\.stage (\w+)", (project / "dvc.yaml").read_text())
    assert len(names) == text_stages((ROOT / "dvc.yaml").read_text())
    assert all((assets.ROOT / f"stages/{name}.py").exists() for name in names)


def text_stages(text: str) -> int:
    return len(re.findall(r"python stages/", text))


def test_comments_of_the_pipeline_stay() -> None:
    text = "  # a comment on src/ganvae\n      - stages/compare.py\n      - src/ganvae/report\n"
    assert own_pipeline(text) == "  # a comment on src/ganvae\n      - behaviour/tokens/code.json\n"


def test_an_existing_folder_is_left_alone(project: Path) -> None:
    before = texts(project)
    with pytest.raises(UserError, match=r"mine exists already\. Give the name of a new folder"):
        new_project(project, "mnist")
    assert texts(project) == before


def test_a_data_set_without_judge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no judge for folders\. Choose .*lfw, mnist"):
        new_project(tmp_path / "mine", "folders")
    with pytest.raises(ConfigError, match="dataset 'emnist' is unknown"):
        new_project(tmp_path / "mine", "emnist")
    assert not (tmp_path / "mine").exists()


def test_missing_images_are_no_fault_but_a_remark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "CLONE", tmp_path)
    (remark,) = new_project(tmp_path / "mine", "mnist")
    fetch = "ganvae fetch mnist --directory data/raw/mnist"
    assert remark == f"Get the images: cd {tmp_path}/mine && {fetch}"
    for path in ("data/raw/mnist/a.gz", "data/raw/lfw/b.tgz", "data/main/train.safetensors"):
        (tmp_path / "mine" / path).parent.mkdir(parents=True)
        (tmp_path / "mine" / path).touch()
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard", "data"],
        cwd=tmp_path / "mine", check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert listed.stdout.split() == ["data/raw/mnist/a.gz"], "large images are not for git"


@pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist", "lfw", "stacked-mnist"])
def test_a_project_measures_as_the_published_profile_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: str
) -> None:
    """So a record of `ganvae score` can be submitted."""
    published = profile_of(dataset)
    assert published
    with monkeypatch.context() as patch:
        patch.setattr(new, "find_folder", missing)
        new_project(tmp_path / "mine", dataset)
    own = load_params(tmp_path / "mine/params.yaml")
    for section in ("judge", "data", "evaluation"):
        assert getattr(own, section) == getattr(published, section), section


def missing(*_: object) -> Path:
    raise DataError("no images")


# Tokens


def test_tokens_change_only_with_the_code_of_the_own_model(project: Path) -> None:
    refresh(project)
    first = texts(project)
    refresh(project)
    assert texts(project) == first
    with (project / MODEL).open("a") as file:
        file.write("# a remark\n")
    refresh(project)
    changed = {name for name, text in texts(project).items() if text != first[name]}
    assert changed == {f"{kind}/{MODEL}.json" for kind in tokens.OF_A_SYSTEM}


def test_tokens_of_one_own_model_do_not_change_with_the_code_of_another(project: Path) -> None:
    shutil.copyfile(project / MODEL, project / "models/another.py")
    run = "another-0: {variant: another, system: models/another.py, seed: 0, file: params.yaml}"
    text = (project / "params.yaml").read_text().replace("\nruns:\n", f"\nruns:\n  {run}\n")
    text = text.replace("\nvariants:\n", "\nvariants:\n  another: {}\n")
    (project / "params.yaml").write_text(text)
    refresh(project)
    first = texts(project)
    with (project / "models/another.py").open("a") as file:
        file.write("# a remark\n")
    refresh(project)
    changed = {name for name, text in texts(project).items() if text != first[name]}
    assert changed == {f"{kind}/models/another.py.json" for kind in tokens.OF_A_SYSTEM}


def test_tokens_of_a_model_that_no_run_uses_are_removed(project: Path) -> None:
    refresh(project)
    for folder in (project, project / "profiles/smoke"):
        path = folder / "params.yaml"
        path.write_text(path.read_text().replace(MODEL, "conv-vae"))
    refresh(project)
    assert not [name for name in texts(project) if "flow" in name]


def test_an_unknown_system_is_named(project: Path) -> None:
    path = project / "params.yaml"
    path.write_text(path.read_text().replace("system: dcgan,", "system: dcgann,"))
    with pytest.raises(ConfigError, match=r"^system 'dcgann' is unknown\. Choose one of these"):
        refresh(project)


def test_an_environment_inside_of_the_project_is_not_read(project: Path) -> None:
    """An installed program has parameter files of its own."""
    files = Path(tokens.__file__).with_name("files")
    shutil.copytree(files, project / ".venv/lib/ganvae/pipeline/project/files")
    refresh(project)
    assert f"train/{MODEL}.json" in texts(project)


def test_the_programs_tokens_are_those_of_the_clone(project: Path) -> None:
    refresh(project)
    for path in (ROOT / "behaviour/tokens").rglob("*.json"):
        copied = project / "behaviour/tokens" / path.relative_to(ROOT / "behaviour/tokens")
        assert copied.read_text() == path.read_text()


def test_code_that_was_edited_after_its_measurement_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "is_current", lambda root: False)
    with pytest.raises(UserError, match="has changed since its behaviour was measured"):
        refresh(project)


# Checks


def findings(folder: Path) -> dict[str, Finding]:
    own._load.cache_clear()
    return {finding.what: finding for finding in check(folder)}


def test_a_new_project_passes_all_checks(project: Path) -> None:
    found = findings(project)
    assert all(finding.right for finding in found.values()), found
    expected = {"parameters", "paths", "disk", "judge", "images", "flow-matching", "dcgan"}
    assert expected <= found.keys()
    assert found["images"].found.startswith("55,000 train, 5,000 validation, 10,000 test")


def wrong(found: dict[str, Finding]) -> dict[str, str]:
    return {what: finding.found for what, finding in found.items() if not finding.right}


def test_all_faults_are_found_at_once(project: Path) -> None:
    smoke = project / "profiles/smoke"
    (project / "judges/mnist.safetensors").write_bytes(b"x")
    (project / MODEL).write_text((project / MODEL).read_text().replace(".clamp(0, 1)", ""))
    path = smoke / "params.yaml"
    path.write_text(path.read_text().replace("hidden: [64]", "hidden: [0]"))
    found = wrong(findings(smoke))
    assert found.keys() == {"judge", "flow-matching", "bernoulli-vae"}
    assert "variants.bernoulli-vae.hidden.0 is 0" in found["bernoulli-vae"]
    assert "every value must lie in [0, 1]" in found["flow-matching"]


def test_a_section_without_a_run_is_named(project: Path) -> None:
    path = project / "profiles/smoke/params.yaml"
    path.write_text(path.read_text().replace("\nvariants:\n", "\nvariants:\n  norun: {}\n"))
    message = "profiles/smoke/params.yaml: variants.norun has no run. Add one line under runs."
    assert wrong(findings(path.parent)) == {"norun": message}
    with pytest.raises(ConfigError, match=r"variants\.norun has no run"):
        check_models(load_params(path), project)


def test_missing_images_and_a_wrong_judge_are_found(project: Path) -> None:
    smoke = project / "profiles/smoke"
    raw = project / "data/raw/mnist"
    raw.rename(raw.with_name("elsewhere"))
    assert "Run `ganvae fetch mnist" in wrong(findings(smoke))["images"]
    raw.with_name("elsewhere").rename(raw)
    path = smoke / "params.yaml"
    path.write_text(path.read_text().replace("judge: judges/mnist.saf", "judge: judges/no.saf"))
    assert "judges/no.safetensors" in wrong(findings(smoke))["judge"]


def test_too_few_samples_for_the_judge_are_found(project: Path) -> None:
    path = project / "profiles/smoke/params.yaml"
    path.write_text(re.sub(r"n_generated: \d+", "n_generated: 120", path.read_text()))
    expected = "FID with 128 features needs more than 128 generated images, but found 120"
    assert wrong(findings(path.parent))["judge"].startswith(expected)


def test_invalid_parameters_end_the_checks(project: Path) -> None:
    path = project / "params.yaml"
    path.write_text(path.read_text().replace("per_class: 10", "per_class: many"))
    with pytest.raises(ConfigError, match=r"by_class\.per_class is 'many'"):
        findings(project)


@pytest.mark.slow
def test_an_edit_of_the_own_model_makes_only_its_runs_stale(project: Path) -> None:
    """DVC itself says so, without `ganvae repro`."""
    (project / "results/smoke").mkdir(parents=True)
    subprocess.run(
        ["dvc", "repro", "--quiet", "profiles/smoke/dvc.yaml:prepare"], cwd=project, check=True
    )
    status = subprocess.run(
        ["dvc", "status", "--json", "profiles/smoke/dvc.yaml:train@flow-matching-0"],
        cwd=project, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert f"behaviour/tokens/train/{MODEL}.json" in json.dumps(json.loads(status.stdout))

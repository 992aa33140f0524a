"""Paths and names in the files of a profile: each must be its own."""

import shutil
from pathlib import Path

import pytest

from conftest import ROOT
from ganvae.config import load_params
from ganvae.core import assets
from ganvae.pipeline.project.check import check
from ganvae.pipeline.project.new import new_project
from ganvae.pipeline.project.paths import path_faults


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project without images."""
    monkeypatch.setattr(assets, "CLONE", tmp_path)
    new_project(tmp_path / "mine", "mnist")
    return tmp_path / "mine"


def faults(folder: Path) -> list[str]:
    return list(path_faults(folder, load_params(folder / "params.yaml")))


def replace(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


PROFILES = sorted(path.parent for path in ROOT.glob("profiles/*/params.yaml"))


@pytest.mark.parametrize("folder", [ROOT, *PROFILES], ids=lambda path: path.name)
def test_the_profiles_of_the_repository_have_no_faults(folder: Path) -> None:
    assert faults(folder) == []


def test_a_new_project_has_no_faults(project: Path) -> None:
    assert faults(project) == faults(project / "profiles/smoke") == []


def test_each_wrong_name_in_a_copy_is_one_line(project: Path) -> None:
    copy = project / "profiles/copy"
    shutil.copytree(project / "profiles/smoke", copy)
    assert faults(copy) == [
        "profiles/copy/params.yaml: file is profiles/smoke/params.yaml. Write "
        "`file: profiles/copy/params.yaml`.",
        "profiles/copy/params.yaml: promotions is profiles/smoke/promoted.yaml. Write "
        "`promotions: profiles/copy/promoted.yaml`.",
        "profiles/copy/params.yaml: profile is smoke, as in profiles/smoke/params.yaml. Give each "
        "profile a name of its own.",
        "profiles/copy/dvc.yaml: params_file is profiles/smoke/params.yaml. Write "
        "`params_file: profiles/copy/params.yaml` under vars.",
    ]
    found = [finding for finding in check(copy) if finding.what == "paths"]
    assert [finding.right for finding in found] == [False] * 4
    replace(copy / "params.yaml", "profiles/smoke/", "profiles/copy/")
    replace(copy / "params.yaml", "profile: smoke", "profile: copy")
    replace(copy / "dvc.yaml", "profiles/smoke/", "profiles/copy/")
    assert faults(copy) == []


def test_a_profile_in_a_folder_of_another_name_is_a_fault(project: Path) -> None:
    """Other commands look for the profile in the folder of its name."""
    smoke = project / "profiles/smoke"
    replace(smoke / "params.yaml", "profile: smoke", "profile: steam")
    assert faults(smoke) == [
        "profiles/smoke/params.yaml: profile is steam, so this file must be in profiles/steam. "
        "Rename the profile or the folder."
    ]


def test_a_wrong_root_is_named_and_the_checks_go_on(project: Path) -> None:
    smoke = project / "profiles/smoke"
    replace(smoke / "params.yaml", "root: ../..", "root: ..")
    assert faults(smoke) == ["profiles/smoke/params.yaml: root is ... Write `root: ../..`."]
    assert {finding.what for finding in check(smoke)} >= {"paths", "judge", "images"}


@pytest.mark.parametrize("name", ["promoted.yaml", "dvc.yaml"])
def test_a_missing_file_is_named(project: Path, name: str) -> None:
    smoke = project / "profiles/smoke"
    (smoke / name).unlink()
    (fault,) = faults(smoke)
    assert fault.startswith(f"profiles/smoke/{name} is missing. Copy the file of another profile")


def test_a_pipeline_without_a_params_file_is_a_fault(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages: {}\n")
    (fault,) = faults(project)
    assert fault.startswith("dvc.yaml: params_file is missing. Write `params_file: params.yaml`")
    (project / "dvc.yaml").write_text("- a list\n")
    assert "dvc.yaml contains a list" in faults(project)[0]


def test_a_project_without_dvc_is_a_fault(project: Path) -> None:
    shutil.rmtree(project / ".dvc")
    (fault,) = faults(project)
    assert "has a folder .dvc. Run `dvc init`" in fault


def test_a_damaged_neighbour_is_no_fault_of_this_profile(project: Path) -> None:
    (project / "profiles/smoke/params.yaml").write_text("profile: [")
    assert faults(project) == []

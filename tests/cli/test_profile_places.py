"""Which profile a command takes, and where it works."""

from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from ganvae import cli
from ganvae.core import assets
from ganvae.core.errors import ConfigError, UserError
from ganvae.pipeline import cluster, reproduction
from ganvae.pipeline.project.new import new_project

SMOKE = "profiles/smoke"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project without images, as the working folder."""
    monkeypatch.setattr(assets, "CLONE", tmp_path)
    new_project(tmp_path / "mine", "mnist")
    monkeypatch.chdir(tmp_path / "mine")
    return tmp_path / "mine"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Path]]:
    """The working folder and the pipeline of each reproduction. Nothing is reproduced."""
    found: list[tuple[Path, Path]] = []

    def reproduce(pipeline: Path, *_: Any, instead: Any = None) -> None:
        found.append((Path.cwd(), pipeline))
        print("a line of a stage")
        if instead:
            instead(pipeline, {"dcgan-0": ["train@dcgan-0"]})

    monkeypatch.setattr(reproduction, "reproduce", reproduce)
    return found


def ganvae(*arguments: str) -> None:
    cli.commands(list(arguments), standalone_mode=False)


@pytest.mark.parametrize("command", ["check", "repro"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "smok",
            r"^smok does not exist\. Give the folder of a profile, such as profiles/smoke",
        ),
        ("profiles/smoke/typo.yaml", r"^profiles/smoke/typo\.yaml does not exist\. Give"),
        ("README.md", r"^README\.md is not the params\.yaml of a profile\. Give the folder"),
        ("models", r"^models has no params\.yaml\. Run the command in a project"),
    ],
)
def test_a_mistyped_profile_is_refused(
    project: Path, calls: list[tuple[Path, Path]], command: str, given: str, message: str
) -> None:
    with pytest.raises(UserError, match=message) as error:
        ganvae(command, given)
    assert "\n" not in str(error.value)
    assert not calls


def test_files_are_only_migrated_in_the_root_of_a_project(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "models")
    with pytest.raises(UserError, match=rf"models is not the root .* the command in {project}\.$"):
        ganvae("migrate")
    monkeypatch.chdir(project.parent)
    with pytest.raises(UserError, match=r" is not in a project or a clone\. Run the command in a"):
        ganvae("migrate")
    monkeypatch.chdir(project)
    ganvae("migrate")


def test_samples_are_not_submitted_to_another_profile(project: Path) -> None:
    (project / "s.npz").touch()
    with pytest.raises(UserError, match=r"^smok does not exist"):
        ganvae("submit", "s.npz", "--profile", "smok", "--model", "x")


def test_samples_that_do_not_exist_are_named(project: Path) -> None:
    for name in ("nix.json", "nix.npz"):
        with pytest.raises(UserError, match=rf"^{name} does not exist\. Give samples, or a record"):
            ganvae("submit", name)


@pytest.mark.parametrize(
    ("here", "given"),
    [
        (".", [SMOKE]),
        (".", [f"{SMOKE}/dvc.yaml"]),
        (".", [f"{SMOKE}/params.yaml"]),
        (SMOKE, []),
        (SMOKE, ["params.yaml"]),
        ("..", [f"mine/{SMOKE}"]),
        ("models", [f"../{SMOKE}"]),
    ],
)
def test_a_profile_is_reproduced_in_the_root_of_its_project(
    project: Path,
    calls: list[tuple[Path, Path]],
    monkeypatch: pytest.MonkeyPatch,
    here: str,
    given: list[str],
) -> None:
    monkeypatch.chdir(project / here)
    ganvae("repro", *given)
    assert calls == [(project, project / SMOKE / "dvc.yaml")]
    assert Path.cwd() == (project / here).resolve()


def test_a_copied_profile_does_not_overwrite_the_original(
    project: Path, calls: list[tuple[Path, Path]]
) -> None:
    (project / "profiles/copy").mkdir()
    for path in (project / SMOKE).iterdir():
        (project / "profiles/copy" / path.name).write_text(path.read_text())
    with pytest.raises(ConfigError, match=r"^profiles/copy/params\.yaml: file is profiles/smoke/p"):
        ganvae("repro", "profiles/copy")
    assert not calls


def test_only_commands_are_printed_to_stdout(
    project: Path,
    calls: list[tuple[Path, Path]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cluster, "Jobs", lambda pipeline: None)
    monkeypatch.setattr(cluster, "print_jobs", lambda pipeline, stages: print(*stages.items()))
    ganvae("repro", SMOKE, "--print-jobs")
    output = capsys.readouterr()
    assert output.out == "('dcgan-0', ['train@dcgan-0'])\n"
    assert output.err == "a line of a stage\n"


def test_uncommitted_files_are_refused_before_a_stage_runs(
    project: Path, calls: list[tuple[Path, Path]]
) -> None:
    with pytest.raises(UserError, match="has no commit yet"):
        ganvae("repro", SMOKE, "--print-jobs")
    assert not calls


def test_the_profiles_of_the_repository_can_be_named(calls: list[tuple[Path, Path]]) -> None:
    ganvae("repro", str(ROOT / "profiles/fashion/dvc.yaml"))
    assert calls == [(ROOT, ROOT / "profiles/fashion/dvc.yaml")]

"""Test that the repository is small enough to clone."""

import subprocess
from pathlib import Path

import pytest

from conftest import ROOT
from ganvae.config import load_params
from ganvae.report.shown import INDEX, KINDS

MB = 1_000_000
OF_A_RUN = {"history.csv", "outcome.json", "scores.json", "timing.json", "validation.json"}
OF_SOME_RUNS = {"annealed.json"}


def committed(*places: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", *places], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


PAGES = committed("results/*/report.html")
PROFILES = [path.parent for path in PAGES]


def test_size_of_all_results() -> None:
    assert sum(path.stat().st_size for path in committed("results")) <= 60 * MB


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.parent.name)
def test_size_of_a_page(page: Path) -> None:
    assert page.stat().st_size <= 3.5 * MB  # pictures of faces compress less than those of digits


def test_size_of_the_lock() -> None:
    """DVC reads the whole lock for each stage."""
    runs = len(load_params(ROOT / "params.yaml").runs)
    assert (ROOT / "dvc.lock").stat().st_size <= 4000 * runs


def test_size_of_a_shallow_clone(tmp_path: Path) -> None:
    subprocess.run(
        ["git", "clone", "-q", "--depth=1", "--no-checkout", f"file://{ROOT}", str(tmp_path / "c")],
        check=True,
    )
    files = [path for path in (tmp_path / "c").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 80 * MB


@pytest.mark.parametrize("folder", PROFILES, ids=lambda path: path.name)
def test_runs_have_only_numbers_and_each_variant_has_pictures_of_one_run(folder: Path) -> None:
    names = {path.name for path in committed(f"{folder}/runs")}
    assert names - OF_SOME_RUNS == OF_A_RUN
    names = {path.name for path in committed(f"{folder}/pictures")}
    assert names <= {INDEX, *(kind.file for kind in KINDS)}


def test_committed_weights_are_those_that_the_profile_names() -> None:
    for folder in PROFILES:
        file = "params.yaml" if folder.name == "laptop" else f"profiles/{folder.name}/params.yaml"
        params = load_params(ROOT / file)
        weights = committed(f"{folder}/pretrained/*.safetensors")
        assert {path.stem for path in weights} == set(params.published), folder.name

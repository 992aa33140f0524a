"""The wheel alone is enough: it works in an empty folder, away from any clone."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT
from ganvae.config import load_params
from ganvae.config.profiles import published_profiles
from ganvae.core.files import read_json, sha256
from ganvae.data.registry import dataset_names
from ganvae.models.registry import system_names
from ganvae.scores.records import read_record
from installed import Installed, always, build_wheel, install, requirements

MOST_BYTES = 16_000_000
TABLES = 100_000  # bytes that the archive may need besides its files
ASSETS = "ganvae/assets/"
PROFILES = list(published_profiles())
FINALISTS = {
    f"results/{params.profile}/pretrained/{name}.safetensors"
    for _, params in PROFILES
    for name in params.finalists
}
GAN, VAE = load_params(ROOT / "params.yaml").finalists

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install(wheel, tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def with_mnist(installed: Installed) -> Installed:
    """The installed wheel, with the files of MNIST in the cache."""
    shutil.copytree(ROOT / "data/raw/mnist", installed.cache / "mnist")
    return installed


def sizes(wheel: Path) -> dict[str, int]:
    """The names of the files in a wheel, with their sizes in bytes."""
    with zipfile.ZipFile(wheel) as archive:
        return {info.filename: info.file_size for info in archive.infolist()}


def test_the_wheel_is_small_and_has_one_package(wheel: Path) -> None:
    assert wheel.stat().st_size <= MOST_BYTES
    tops = {name.split("/")[0] for name in sizes(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ganvae"}


def test_the_wheel_has_judges_parameters_and_all_finalists_that_fit(wheel: Path) -> None:
    held = {
        name.removeprefix(ASSETS): size
        for name, size in sizes(wheel).items()
        if name.startswith(ASSETS)
    }
    judges = [path for path in ROOT.glob("judges/*") if path.suffix in (".json", ".safetensors")]
    needed = {str(path.relative_to(ROOT)) for path in judges}
    needed |= {str(path) for path, _ in PROFILES}
    needed |= {str(path.with_name("promoted.yaml")) for path, _ in PROFILES}
    needed |= {f"results/{params.profile}/scores.json" for _, params in PROFILES}
    needed |= {path for path in FINALISTS if path.startswith("results/laptop/")}
    of_projects = ("dvc.yaml", "stages/*.py", "sweeps/*.yaml", "behaviour/tokens/**/*.json")
    needed |= {str(path.relative_to(ROOT)) for each in of_projects for path in ROOT.glob(each)}
    assert needed <= held.keys() <= needed | FINALISTS
    assert all(size == (ROOT / name).stat().st_size for name, size in held.items())
    free = MOST_BYTES - TABLES - wheel.stat().st_size
    for path in FINALISTS - held.keys():
        assert (ROOT / path).stat().st_size > free, f"{path} would fit"


def test_the_wheel_asks_for_the_packages_of_its_commands(wheel: Path) -> None:
    asked = requirements(wheel)
    needed = {each.name for each in asked if always(each)}
    assert {"filelock", "pooch", "torch", "typer"} <= needed
    assert not needed & {"dvc", "mlflow", "optuna"}
    assert {each.name for each in asked} > needed | {"dvc", "mlflow", "optuna", "psycopg"}


def test_other_commands_name_their_extra(installed: Installed, tmp_path: Path) -> None:
    for command in (["repro"], ["ui"], ["sweep", "status", "--study", "x"]):
        process = installed.ganvae(*command, cwd=tmp_path)
        assert process.returncode == 1
        assert process.stderr.endswith("Run `pip install 'ganvae[pipeline]'`.\n")
        assert process.stderr.count("\n") == 1


def test_systems_and_data_sets_are_listed(installed: Installed, tmp_path: Path) -> None:
    systems = installed.ganvae("models", cwd=tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in systems] == system_names()
    lines = installed.ganvae("datasets", cwd=tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in lines] == dataset_names()
    judged = {line.split()[0] for line in lines if "  judge  " in line}
    assert judged == {params.data.dataset for _, params in PROFILES}


def test_a_missing_data_set_is_searched_in_the_cache(installed: Installed, tmp_path: Path) -> None:
    process = installed.ganvae("train", "dcgan", "--dataset", "fashion-mnist", cwd=tmp_path)
    assert process.returncode == 1
    assert process.stderr == (
        "error: the files of fashion-mnist were not found. Searched: "
        f"{installed.cache}/fashion-mnist. Run `ganvae fetch fashion-mnist`, give the folder of "
        "the files with --data, or set GANVAE_DATA to the parent of the folder.\n"
    )


def test_fetch_verifies_the_files_in_the_cache(with_mnist: Installed, tmp_path: Path) -> None:
    process = with_mnist.ganvae("fetch", "mnist", cwd=tmp_path)
    assert process.stdout == f"{with_mnist.cache}/mnist: mnist, verified\n", process.stderr


def test_a_model_is_trained_and_sampled(with_mnist: Installed, tmp_path: Path) -> None:
    train = ["train", "vanilla-gan", "--steps", "3", "--set", "hidden=[8]", "--outdir", "out"]
    process = with_mnist.ganvae(*train, "--train-size", "500", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert process.stdout.startswith("500 images of mnist, 1 x 28 x 28\n")
    assert read_json(tmp_path / "out/outcome.json")["steps"] == 3
    process = with_mnist.ganvae("sample", "out/weights.safetensors", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "samples.png").stat().st_size > 1000


def test_samples_of_a_finalist_are_scored_and_compared(
    with_mnist: Installed, tmp_path: Path
) -> None:
    """The published records take part in the comparison, and give the published result."""
    process = with_mnist.ganvae("sample", "gan", "--n", "300", "--out", "a.npz", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    with np.load(tmp_path / "a.npz") as file:
        assert file["images"].shape == (300, 1, 28, 28)
    process = with_mnist.ganvae("score", "a.npz", "--json", "mine.json", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    record = read_record(tmp_path / "mine.json")
    assert record.provenance.judge_sha256 == sha256(ROOT / "judges/mnist.safetensors")
    assert 0 < (record.scores["fid_judge"] or 0) < 100

    files = ["mine.json", "laptop", "--json", "all.json"]
    process = with_mnist.ganvae("compare", *files, "--finalists", GAN, VAE, cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert "\nnot ranked: a, seed 0: 300 samples were scored, but" in process.stdout
    found = json.loads((tmp_path / "all.json").read_text())["finalists"]
    published = read_json(ROOT / "results/laptop/comparison.json")["finalists"]
    assert found[0]["effect"] == pytest.approx(published[0]["effect"])


def test_an_unknown_model_is_explained(installed: Installed, tmp_path: Path) -> None:
    process = installed.ganvae("sample", "nope", cwd=tmp_path)
    assert f"these models: {', '.join(sorted((GAN, VAE)))}. " in process.stderr
    assert process.stderr.endswith("A clone of the repository has the weights of more models.\n")

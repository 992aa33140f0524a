"""Clones of one small repository: two short runs of the smoke profile, cut down."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from conftest import ROOT
from ganvae.config import read_yaml
from ganvae.config.promotions import PROMOTED, Promotions, write_promotions

FOLDERS = ("behaviour", "src", "stages", "data/raw")
FILES = (
    "requirements.lock",
    "dvc.yaml",
    ".dvcignore",
    ".gitignore",
    "judges/mnist.safetensors",
    "judges/mnist-unlabelled.safetensors",
    "results/matches/README.md",
    "results/submitted/README.md",
    "results/sweeps/README.md",
)

# The GAN collapses, but the VAE does not: so there are weights to publish.
STEPS = {"dcgan": 4, "bernoulli-vae": 600}

# The `python` of a stage's command. It logs the name of each started script beside the clone.
PYTHON = f"""#!/bin/sh
basename "$1" .py >>"$PWD.started"
exec {sys.executable} "$@"
"""


def refer_to(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands in clones use only a folder, and a script in place of `python`."""
    python = folder / "bin/python"
    python.parent.mkdir()
    python.write_text(script)
    python.chmod(0o755)
    path = f"{python.parent}:{Path(sys.executable).parent}"
    monkeypatch.setenv("PATH", path, prepend=":")
    monkeypatch.setenv("PYTHONPATH", "src")  # the clone's
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(folder / "site"))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    monkeypatch.delenv("DVC_ROOT", raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the clones and the remote, and an environment that only refers to it."""
    folder = tmp_path_factory.mktemp("clones")
    with pytest.MonkeyPatch.context() as monkeypatch:
        refer_to(folder, PYTHON, monkeypatch)
        for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
            monkeypatch.setenv(f"{name}_NAME", "test")
            monkeypatch.setenv(f"{name}_EMAIL", "test@example.org")
        yield folder


@pytest.fixture(scope="module")
def origin(folder: Path) -> Path:
    """This repository with two short runs and a remote, before any stage has run."""
    origin = make_origin(folder / "origin")
    call(origin, f"dvc remote add --quiet --default shared {folder / 'remote'}")
    commit(origin)
    return origin


def make_origin(origin: Path) -> Path:
    """Write this repository with two short runs into a new folder, and commit it."""
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, origin / name, ignore=ignored)
    for name in FILES:
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, origin / name)
    with (origin / "params.yaml").open("w") as file:
        YAML().dump(_params(), file)
    write_promotions(origin / PROMOTED, Promotions())
    call(origin, "git init --quiet")
    call(origin, "dvc init --quiet")
    commit(origin)
    return origin


def _params() -> dict[str, object]:
    """The smoke profile's parameters, cut down, for a profile whose results are kept in git."""
    params = read_yaml(ROOT / "profiles/smoke/params.yaml")
    params |= {"profile": "tiny", "root": ".", "file": "params.yaml", "promotions": PROMOTED}
    params |= {"judge": "judges/mnist.safetensors"}
    params |= {
        "tuned": [],
        "tuned_on": {},
        "effort": None,
        "frozen": None,
        "aside": [],
        "finalists": list(STEPS),
    }
    params["compute"] |= {"precision": "fp32"}  # a busy machine could choose another one each time
    params["data"] |= {"train_size": 300, "validation_size": 150, "test_size": 150}
    params["evaluation"] |= {"n_generated": 150}
    runs = {f"{variant}-0": params["runs"][f"{variant}-0"] for variant in STEPS}
    params["runs"] = {key: run | {"file": params["file"]} for key, run in runs.items()}
    params["variants"] = {variant: params["variants"][variant] for variant in STEPS}
    for variant, steps in STEPS.items():
        every = {f"{event}_every": steps // 2 for event in ("report", "sample", "checkpoint")}
        params["variants"][variant]["schedule"] = {"unit": "steps", "length": steps} | every
    params["variants"]["bernoulli-vae"]["learning_rate"] = 0.002
    return params


def call(clone: Path, command: str) -> None:
    process = subprocess.run(command.split(), cwd=clone, capture_output=True, text=True)
    assert process.returncode == 0, f"{command}:\n{process.stdout}{process.stderr}"


def commit(clone: Path) -> None:
    call(clone, "git add --all")
    who = "-c user.name=test -c user.email=test@example.org"
    call(clone, f"git {who} commit --quiet --allow-empty --message tested")


def clone_of(origin: Path, name: str) -> Path:
    clone = origin.with_name(name)
    call(origin, f"git clone --quiet {origin} {clone}")
    return clone


def started(clone: Path) -> list[str]:
    """The stages whose scripts were started in a clone, in order, one entry per start."""
    log = Path(f"{clone}.started")
    return log.read_text().split() if log.exists() else []


def outputs(clone: Path) -> dict[str, bytes]:
    """The lock and all files that stages have written."""
    files = [clone / "dvc.lock"]
    for folder in ("artifacts", "data/tiny", "results"):
        files += [path for path in (clone / folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(clone)): path.read_bytes() for path in files}

"""Edits of a copy of the repository: harmless edits keep all results fresh, others do not."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from conftest import ROOT
from ganvae.config import read_yaml

pytestmark = pytest.mark.slow

COPIED = (
    "behaviour",
    "data/raw/mnist",
    "judges",
    "profiles/smoke",
    "results/matches",
    "results/submitted",
    "results/sweeps",
    "src",
    "stages",
)
FILES = (".dvcignore", "requirements.lock")
PACKAGE = Path("src/ganvae")


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A committed copy of the code and its fingerprints, in the working directory."""
    for name in COPIED:
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "dvc.lock")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "behaviour/dvc.lock", tmp_path / "behaviour")
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "src"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    run(*git, "init", "-q")
    run(*git, "add", "-A")
    run(*git, "commit", "-qm", "all")
    run("dvc", "init", "-q")
    return tmp_path


def run(*command: str) -> str:
    """Run a command that must succeed, and return its output."""
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, f"{command}:\n{process.stdout}{process.stderr}"
    return process.stdout


def edit(file: str, old: str, new: str) -> None:
    path = PACKAGE / file
    text = path.read_text()
    assert old in text, f"{file} no longer contains {old!r}: update this edit"
    path.write_text(text.replace(old, new))


def edit_everywhere(pattern: str, new: str) -> None:
    changed = 0
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        path.write_text(re.sub(pattern, new, text))
        changed += path.read_text() != text
    assert changed, f"nothing matches {pattern}: update this edit"


def move_a_module() -> None:
    (PACKAGE / "metrics/distances.py").rename(PACKAGE / "metrics/neighbours.py")
    edit_everywhere(r"metrics\.distances", "metrics.neighbours")


def add_a_system() -> None:
    text = (PACKAGE / "models/systems/vanilla_gan.py").read_text()
    text = text.replace('"vanilla-gan"', '"other-gan"').replace("VanillaGAN", "OtherGAN")
    (PACKAGE / "models/systems/other_gan.py").write_text(text)


def split_a_function() -> None:
    edit(
        "models/losses.py",
        "    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp())",
        "    return -0.5 * _kl_terms(mean, log_variance)\n\n\n"
        "def _kl_terms(mean: Tensor, log_variance: Tensor) -> Tensor:\n"
        "    return 1 + log_variance - mean.square() - log_variance.exp()",
    )


def add_a_score() -> None:
    edit(
        "evaluation/sampled.py",
        '    scores |= {"fid_judge": score,',
        '    scores |= {"a_new_one": 1.0, "fid_judge": score,',
    )
    entry = 'Score("a_new_one", "a new one", terms.FID, "samples"),'
    edit("scores/catalogue.py", "_INCEPTION = (\n", f"_INCEPTION = (\n    {entry}\n")


HARMLESS: dict[str, Callable[[], None]] = {
    "rename a private function": lambda: edit_everywhere(r"\b_initialise\b", "_as_keras_does"),
    "move a module": move_a_module,
    "add a comment": lambda: edit("models/layers.py", "def half(", "# A comment.\ndef half("),
    "reword a docstring": lambda: edit(
        "models/balance.py", "The balance between", "Balance between"
    ),
    "reword a message": lambda: edit(
        "core/images.py", "every value must lie in", "values must be in"
    ),
    "reword a reason": lambda: edit("training/trainer.py", "was NaN or infinite", "was not finite"),
    "reword a line of the log": lambda: edit(
        "training/progress.py", "{unit} {start} of", "{unit} {start}/"
    ),
    "change a progress bar": lambda: edit("training/progress.py", "unit=unit,", "unit=unit + 's',"),
    "restyle a plot": lambda: edit("report/figures.py", "alpha=0.5", "alpha=0.7"),
    "restyle the page": lambda: edit("report/templates/page.css", "margin", "padding"),
    "add a parameter with a default": lambda: edit(
        "models/systems/conv_vae.py",
        "    learning_rate: P",
        "    more: float = 1.0\n    learning_rate: P",
    ),
    "add a system": add_a_system,
    "reorder imports": lambda: edit(
        "core/seeds.py", "import numpy as np\nimport torch\n", "import torch\nimport numpy as np\n"
    ),
    "split a function": split_a_function,
    "change a type hint": lambda: edit(
        "training/history.py", "Row = dict[str, float]", "Row = dict"
    ),
    "add a score": add_a_score,
}


def tokens(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted((folder / "behaviour/tokens").rglob("*.json"))
    }


def test_harmless_edits_change_no_token(copy: Path) -> None:
    """All edits are made at once, because measuring takes half a minute."""
    assert len(HARMLESS) >= 12
    before = tokens(copy)
    for make_edit in HARMLESS.values():
        make_edit()
    output = run("python", "stages/behaviour.py")
    after = tokens(copy)
    kinds = ("train", "evaluate", "evaluate-run", "draw-run")
    new = {f"behaviour/tokens/{kind}/other-gan.json" for kind in kinds}
    assert set(after) - set(before) == new
    assert {name: after[name] for name in before} == before, output


@pytest.mark.long
def test_a_processor_with_older_instructions_changes_no_file(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another kind of processor rounds numbers differently, but the old code does so there, too."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    output = run("python", "stages/behaviour.py")
    assert re.search(r" 0 of \d+ fingerprints moved", output)
    assert run("git", "status", "--porcelain", "behaviour") == ""


def shrink_smoke_profile() -> None:
    """Reduce the smoke profile to two runs and a judge that already exists."""
    path = Path("profiles/smoke/params.yaml")
    params: dict[str, Any] = read_yaml(path)
    keys = ["vanilla-gan-0", "conv-vae-0"]
    params["runs"] = {key: params["runs"][key] for key in keys}
    variants = [run["variant"] for run in params["runs"].values()]
    params["variants"] = {variant: params["variants"][variant] for variant in variants}
    params |= {"finalists": [], "tuned": [], "aside": [], "notes": {}}
    params["judge"] = "judges/mnist.safetensors"
    shutil.rmtree("profiles/smoke/judge")
    with path.open("w") as file:
        YAML().dump(params, file)


def reproduce() -> set[str]:
    """Call `ganvae repro`, and return the stages that it runs, without their files."""
    output = run("ganvae", "repro", "profiles/smoke/dvc.yaml")
    stages = set(re.findall(r"Running stage '(?:[\w/.]+:)?([\w@-]+)'", output))
    of_runs = re.findall(r"^ *([\w-]+) \| (train|evaluate|draw)$", output, flags=re.MULTILINE)
    return stages | {f"{stage}@{run}" for run, stage in of_runs}


@pytest.mark.long
def test_only_edits_that_change_behaviour_make_training_stale(copy: Path) -> None:
    shrink_smoke_profile()
    assert {"train@vanilla-gan-0", "train@conv-vae-0", "report"} <= reproduce()
    assert reproduce() == set()

    edit("models/layers.py", "def half(", "# A comment.\ndef half(")
    assert reproduce() == {"behaviour"}

    edit("models/systems/conv_vae.py", "nn.ReLU(), Unflatten", "nn.Tanh(), Unflatten")
    stages = reproduce()
    assert {"behaviour", "train@conv-vae-0", "evaluate@conv-vae-0", "report"} <= stages
    assert not any("vanilla-gan" in stage for stage in stages)

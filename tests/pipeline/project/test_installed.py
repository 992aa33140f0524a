"""A project of the wheel alone: created, checked and run, and an edit of its own model."""

import re
from pathlib import Path

import pytest

from clones import commit
from conftest import ROOT
from ganvae.core.files import read_json
from installed import Installed, build_wheel, install

pytestmark = pytest.mark.slow
MODEL = "models/flow_matching.py"
RUNS = "results/smoke/runs"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    wheel = build_wheel(tmp_path_factory.mktemp("build"))
    return install(wheel, tmp_path_factory.mktemp("installed"), "pipeline", "cluster")


def outcomes(project: Path) -> dict[str, int]:
    """When the results of each run's training were written, by run."""
    return {
        path.parent.name: path.stat().st_mtime_ns for path in project.glob(f"{RUNS}/*/outcome.json")
    }


def test_the_example_stands_beside_a_gan_and_a_vae(installed: Installed, tmp_path: Path) -> None:
    (installed.cache / "mnist").parent.mkdir(parents=True, exist_ok=True)
    (installed.cache / "mnist").symlink_to(ROOT / "data/raw/mnist")
    process = installed.ganvae("new", "mine", cwd=tmp_path)
    assert process.stdout == "mine: created. Read mine/README.md.\n", process.stderr
    project = tmp_path / "mine"

    process = installed.ganvae("check", "profiles/smoke", cwd=project)
    assert process.returncode == 0, process.stdout + process.stderr
    assert process.stdout.count("ok ") == 9

    dvc = [str(installed.python), "-m", "dvc", "repro", "profiles/smoke/dvc.yaml"]
    process = installed.run(*dvc, cwd=project)
    assert process.returncode == 0, process.stdout + process.stderr
    table = (project / "results/smoke/leaderboard.md").read_text()
    assert re.search(r"flow-matching\W+\| other \|", table)
    assert "Lipman et al. 2022" in (project / "results/smoke/report.html").read_text()

    process = installed.ganvae("repro", "profiles/smoke", cwd=project)
    assert process.stdout == "Data and pipelines are up to date.\n", process.stderr

    weights = "artifacts/smoke/dcgan-0/weights.safetensors"
    process = installed.ganvae("sample", weights, "--n", "500", "--out", "s.npz", cwd=project)
    assert process.returncode == 0, process.stderr
    submit = ["submit", "s.npz", "--model", "theirs", "--profile", "profiles/smoke"]
    process = installed.ganvae(*submit, cwd=project)
    assert process.returncode == 0, process.stderr
    assert process.stdout.startswith("results/submitted/smoke/theirs-0.json: FID (judge) ")

    before = outcomes(project)
    text = (project / MODEL).read_text()
    (project / MODEL).write_text(text.replace("nn.SiLU()", "nn.ReLU()"))
    commit(project)  # for the clones of jobs
    process = installed.ganvae("repro", "profiles/smoke", "--on", "local", cwd=project)
    assert process.returncode == 0, process.stdout + process.stderr
    after = outcomes(project)
    assert {run for run in after if after[run] != before[run]} == {"flow-matching-0"}
    assert read_json(project / RUNS / "flow-matching-0/outcome.json")["system"] == MODEL
    assert "| `theirs` ‡ | other |" in (project / "results/smoke/leaderboard.md").read_text()

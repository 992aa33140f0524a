"""Each run of a profile as a job, in a clone of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clones import call, clone_of, commit, folder, origin, outputs
from ganvae.core.errors import UserError
from ganvae.pipeline.cluster import committed
from ganvae.pipeline.stage import COLLECT, run_stage
from slurm import slurm

__all__ = ["folder", "origin"]  # fixtures

REPRO = "ganvae repro"


def results(clone: Path) -> dict[str, bytes]:
    """What the stages have written, but for durations and what lists them."""
    varying = ("timing.json", "dvc.lock", "report.html", "leaderboard.md", "leaderboard.csv")
    files = outputs(clone).items()
    return {
        name: content
        for name, content in files
        if not name.endswith((*varying, "scores.json", "comparison.json", "comparison.png"))
        or name.endswith("runs/dcgan-0/scores.json")
    }


@pytest.fixture(scope="module")
def measured(origin: Path) -> Path:
    """The repository with the behaviour of its code measured on this machine."""
    call(origin, "dvc repro behaviour/dvc.yaml")
    commit(origin)
    return origin


@pytest.fixture(scope="module")
def here(measured: Path) -> Path:
    """A clone that has performed all runs in its own processes."""
    clone = clone_of(measured, "here")
    call(clone, REPRO)
    return clone


@pytest.mark.slow
@pytest.mark.long
def test_jobs_give_the_same_results_and_the_head_trains_nothing(measured: Path, here: Path) -> None:
    clone = clone_of(measured, "head")
    call(clone, f"{REPRO} --on local")
    assert results(clone) == results(here)
    assert list((clone / ".state/jobs").glob("*-0")) == [], "the clones of the jobs are removed"


@pytest.mark.slow
def test_a_node_of_slurm_is_lost_and_nothing_else(
    measured: Path, here: Path, tmp_path: Path
) -> None:
    clone = clone_of(measured, "slurm")
    state = clone / ".state/jobs"
    with slurm(tmp_path) as nodes:
        environment = os.environ | {"SLURM_CONF": str(nodes.conf)}
        script = "from ganvae.pipeline.queues import GRACE_SECONDS; GRACE_SECONDS['slurm'] = 20.0;"
        script += "from ganvae.cli import app; app()"
        command = [sys.executable, "-c", script, "repro", "--on", "slurm"]
        command += ["--partition", "tests", "--time", "10"]
        head = subprocess.Popen(
            command, cwd=clone, env=environment, stdout=subprocess.PIPE, text=True
        )
        while not (checkpoints := list(state.glob("bernoulli-vae-0/.state/*/checkpoint.pt"))):
            assert head.poll() is None
            time.sleep(0.05)
        job = next(line for line in nodes.running().splitlines() if "bernoulli-vae-0" in line)
        nodes.kill_node(job.split()[-1])
        assert checkpoints[0].exists(), "killed in the middle"
        assert head.stdout is not None
        output = head.stdout.read()
        assert head.wait() == 0, output
    assert "was lost" in output
    assert "attempt 2 of" in output
    assert results(clone) == results(here)


@pytest.mark.slow
def test_ctrl_c_cancels_what_was_submitted(measured: Path, tmp_path: Path) -> None:
    clone = clone_of(measured, "cancelled")
    with slurm(tmp_path) as nodes:
        environment = os.environ | {"SLURM_CONF": str(nodes.conf)}
        script = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        script += "from ganvae.cli import app; app()"
        head = subprocess.Popen(
            [sys.executable, "-c", script, "repro", "--on", "slurm"],
            cwd=clone,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        while not nodes.running():
            assert head.poll() is None
            time.sleep(0.2)
        head.send_signal(signal.SIGINT)
        assert head.wait(timeout=120) != 0
        deadline = time.monotonic() + 60
        while nodes.running():
            assert time.monotonic() < deadline
            time.sleep(0.5)


def test_a_stage_computes_nothing_while_results_are_collected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So the tests above would fail if the head computed a stage that a job has performed."""
    called: list[str] = []
    monkeypatch.setattr(sys, "argv", ["stages/train.py"])
    run_stage(lambda: called.append("without"), None)
    monkeypatch.setenv(COLLECT, "1")
    with pytest.raises(SystemExit, match="not in DVC's cache, although its job has ended"):
        run_stage(lambda: called.append("with"), None)
    assert called == ["without"]


def test_uncommitted_code_is_refused_and_uncommitted_results_are_not(tmp_path: Path) -> None:
    call(tmp_path, "git init --quiet")
    for name in ("src/code.py", "results/tiny/scores.json", "dvc.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("old")
    commit(tmp_path)
    (tmp_path / "results/tiny/scores.json").write_text("new")
    (tmp_path / "dvc.lock").write_text("new")
    assert len(committed(tmp_path)) == 40
    (tmp_path / "src/code.py").write_text("new")
    with pytest.raises(UserError, match=r"src/code\.py has changes that are not committed"):
        committed(tmp_path)


def test_a_folder_without_a_commit_is_refused(tmp_path: Path) -> None:
    call(tmp_path, "git init --quiet new")
    for name, message in (("new", "which has no commit yet"), (".", "is no git repository of its")):
        with pytest.raises(UserError, match=message):
            committed(tmp_path / name)


def test_a_model_that_is_not_in_git_is_refused(tmp_path: Path) -> None:
    call(tmp_path, "git init --quiet")
    (tmp_path / "params.yaml").touch()
    commit(tmp_path)
    for untracked in ("notes.txt", "own.py"):
        (tmp_path / untracked).touch()
    assert committed(tmp_path) == committed(tmp_path, ["params.yaml"])
    with pytest.raises(UserError, match=r"own\.py is not in git"):
        committed(tmp_path, ["params.yaml", "own.py"])

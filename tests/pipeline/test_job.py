"""One job of a reproduction: what its clone has, and how it ends."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from clones import call, commit, folder, started
from ganvae.core.paths import ProfilePaths
from ganvae.pipeline import cluster, job
from ganvae.pipeline.job import Job, perform

__all__ = ["folder"]  # a fixture

RUN = ProfilePaths("toy").run("toy-0")
STAGE = """\
  {name}:
    cmd: python stages/{name}.py
    deps: [{deps}]
    outs: [{outs}]
"""
INSTANCES = """\
  {name}:
    foreach: [toy-0]
    do:
      cmd: python stages/{name}.py
      deps: [{deps}]
      outs: [{outs}]
      metrics: [{metrics}]
"""

LOG = "print({name!r}, file=open(f'{{Path.cwd()}}.started', 'a'))"


def make_profile(root: Path) -> None:
    """Write a profile with one run, whose stages copy files."""
    stages = [
        STAGE.format(name="prepare", deps="raw", outs="data/toy/train"),
        STAGE.format(name="reference", deps="raw", outs="data/toy/reference"),
        INSTANCES.format(
            name="train",
            deps="data/toy/train",
            outs=f"{RUN.weights}, {RUN.progress}, {RUN.history}: {{cache: false}}",
            metrics=f"{RUN.outcome}: {{cache: false}}",
        ),
        INSTANCES.format(
            name="evaluate",
            deps=f"judge, {RUN.weights}, {RUN.outcome}, {RUN.progress}, {RUN.history}",
            outs="",
            metrics=f"{RUN.scores}: {{cache: false}}",
        ),
    ]
    writes: dict[str, list[Path]] = {
        "prepare": [Path("data/toy/train")],
        "reference": [Path("data/toy/reference")],
        "train": [RUN.weights, RUN.progress / "0.png", RUN.history, RUN.outcome],
        "evaluate": [RUN.scores],
    }
    (root / "stages").mkdir(parents=True)
    for name, paths in writes.items():
        lines = ["from pathlib import Path", LOG.format(name=name)]
        for path in map(str, paths):
            lines.append(f"Path({path!r}).parent.mkdir(parents=True, exist_ok=True)")
            lines.append(f"Path({path!r}).write_text(Path('judge').read_text() + {path!r})")
        (root / f"stages/{name}.py").write_text("\n".join(lines))
    (root / "src/ganvae").mkdir(parents=True)  # else it were a project, which writes tokens
    (root / "src/ganvae/empty.txt").touch()
    (root / ".gitignore").write_text("/data\n/artifacts\n/.state\n")
    for name in ("raw", "judge"):
        (root / name).write_text("old")
    (root / "dvc.yaml").write_text("stages:\n" + "".join(stages))


@pytest.fixture(scope="module")
def head(folder: Path) -> Path:
    """A clone in which everything was performed, and then the judge was changed."""
    root = folder / "head"
    make_profile(root)
    call(root, "git init --quiet")
    call(root, "dvc init --quiet")
    call(root, "dvc repro --quiet")
    (root / ".state/jobs").mkdir(parents=True)
    (root / ".state/jobs/dvc.lock").write_bytes((root / "dvc.lock").read_bytes())
    (root / "judge").write_text("new")
    commit(root)
    return root


def job_of(head: Path, *stages: str) -> Job:
    process = head / ".git/refs/heads"
    newest = next(process.iterdir()).read_text().strip()
    cache, jobs = head / ".dvc/cache", head / ".state/jobs"
    return Job(head, newest, jobs / "toy-0", cache, Path("dvc.yaml"), "toy", stages)


@pytest.mark.slow
def test_a_run_that_is_trained_is_evaluated_and_not_trained_again(head: Path) -> None:
    evaluation = job_of(head, "evaluate@toy-0")
    # Another clone has trained, so DVC's cache does not know the files that git keeps.
    call(head, "rm -r .dvc/cache/runs")
    perform(evaluation)
    assert evaluation.done.exists()
    assert started(evaluation.folder) == ["evaluate"]
    assert (evaluation.folder / RUN.scores).read_text() == f"new{RUN.scores}"
    assert not (evaluation.folder / RUN.timing).exists()
    perform(evaluation)  # as after a loss
    assert started(evaluation.folder) == ["evaluate"], "DVC has its result"


def test_jobs_read_a_copy_of_the_lock_while_dvc_writes_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "src/ganvae").mkdir(parents=True)
    for name in ("src/ganvae/empty.txt", "dvc.yaml", "dvc.lock"):
        (tmp_path / name).write_text("committed")
    (tmp_path / ".gitignore").write_text("/.state")
    call(tmp_path, "git init --quiet")
    commit(tmp_path)
    (tmp_path / "dvc.lock").write_text("whole")
    params = SimpleNamespace(root=".", promotions="dvc.yaml", judge="dvc.yaml", profile="toy")
    monkeypatch.setattr(cluster, "load_params", lambda path: params)
    monkeypatch.setattr(cluster, "systems_of", lambda root: [])
    monkeypatch.setattr(cluster, "run_dvc", lambda *arguments, root: "cache")
    jobs = cluster.Jobs(tmp_path / "dvc.yaml")
    jobs.begin()
    (tmp_path / "dvc.lock").write_text("ha")
    ready = jobs.job("toy-0", ["train@toy-0"])
    monkeypatch.setattr(job, "_dvc", lambda *arguments: None)
    perform(ready)
    assert (ready.folder / "dvc.lock").read_text() == "whole"
    (tmp_path / "dvc.lock").unlink()
    jobs.begin()
    assert not ready.lock.exists()

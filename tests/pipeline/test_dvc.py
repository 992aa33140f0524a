"""What DVC leaves if it is killed while it writes its own files."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clones import call
from ganvae.core.files import read_json
from ganvae.pipeline.dvc import DVC, remove_begun_copies, run_dvc

STAGE = "stages:\n  copy:\n    cmd: cp a b\n    deps: [a]\n    outs: [b]\n"
KILLED = """
import os, runpy, sys
import {module} as module

def killed(data, file, *others, write=module.{writer}):
    if {name!r} in os.path.basename(file.name):
        os._exit(9)
    return write(data, file, *others)

module.{writer} = killed
runpy.run_module({program!r}, run_name="__main__")
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one stage that is up to date."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    folder = tmp_path / "repository"
    folder.mkdir()
    call(folder, "dvc init --quiet --no-scm")
    (folder / "a").write_text("old")
    (folder / "dvc.yaml").write_text(STAGE)
    run_dvc("repro", root=folder)
    return folder


@pytest.mark.parametrize(
    ("name", "module", "writer"),
    [("rwlock", "json", "dump"), ("dvc.lock", "dvc.utils.serialize._yaml", "_dump")],
)
def test_a_killed_dvc_leaves_whole_files(
    repository: Path, name: str, module: str, writer: str
) -> None:
    lock = repository / "dvc.lock"
    before = lock.read_text()
    (repository / "a").write_text("new")
    script = KILLED.format(module=module, writer=writer, name=name, program=DVC[-1])
    command = [sys.executable, "-c", script, "repro"]
    killed = subprocess.run(command, cwd=repository, capture_output=True, check=False)
    assert killed.returncode == 9
    assert lock.read_text() == before
    assert isinstance(read_json(repository / ".dvc/tmp/rwlock"), dict)
    run_dvc("repro", root=repository)
    assert (repository / "b").read_text() == "new"
    assert not [path for path in repository.rglob("*.tmp") if path.name != "rwlock.tmp"]


def test_another_dvc_at_work_is_awaited_with_a_notice(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It holds `a` until the second question. ``--wait-for-lock`` alone ends with an error."""
    rwlock = repository / ".dvc/tmp/rwlock"
    held = {str(repository / "b"): {"pid": os.getpid(), "cmd": "dvc repro"}}
    rwlock.write_text(json.dumps({"write": held}))
    (repository / "a").write_text("new")
    monkeypatch.setattr(time, "sleep", lambda seconds: rwlock.write_text("{}"))
    run_dvc("--wait-for-lock", "repro", root=repository)
    assert (repository / "b").read_text() == "new"
    assert capsys.readouterr().out == "waiting for another DVC process that works in this clone\n"


@pytest.mark.parametrize("content", ["", '{"write": {"/a', "\0\0"])
def test_a_damaged_rwlock_counts_as_missing(repository: Path, content: str) -> None:
    """Other programs start DVC without the wrapper, which may leave such a file."""
    rwlock = repository / ".dvc/tmp/rwlock"
    rwlock.write_text(content)
    assert "up to date" in run_dvc("status", root=repository)
    assert isinstance(read_json(rwlock), dict)


def test_begun_copies_of_a_killed_dvc_are_removed(tmp_path: Path) -> None:
    old, new, other = (tmp_path / f".{name}.tmp" for name in ("a" * 22, "-" * 22, "scores.json.12"))
    for path in (old, new, other):
        path.touch()
    for path in (old, other):
        os.utime(path, (0, 0))
    remove_begun_copies([tmp_path, tmp_path / "missing"])
    assert sorted(tmp_path.iterdir()) == sorted([new, other])

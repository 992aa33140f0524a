"""Processes that `ganvae repro` started end with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ganvae.pipeline import owner
from ganvae.pipeline.owner import OWNER, owned, wait_for_orphans

WATCHES = "from ganvae.pipeline.owner import end_with_owner; end_with_owner(); "
SLEEPS = "import time; print('ready', flush=True); time.sleep(60)"
PARENT = """
import os, subprocess, sys, time
from ganvae.pipeline.owner import owned
child = subprocess.Popen([sys.executable, "-c", {child!r}], stdout=subprocess.PIPE,
                         start_new_session=True, env=os.environ | owned())
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


def start(child: str) -> tuple["subprocess.Popen[str]", psutil.Process]:
    """Start a parent with a child of its own process group, and wait until both are ready."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(child=child)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    return parent, psutil.Process(int(parent.stdout.readline()))


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_stage_ends_with_its_owner_even_if_the_owner_is_killed() -> None:
    parent, child = start(WATCHES + SLEEPS)
    time.sleep(2 * owner.POLL_SECONDS)
    assert not ended(child), "it watches a living owner"
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: ended(child))


def test_orphans_are_awaited_and_killed_if_they_do_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "PATIENCE", 0.5)
    parent, child = start(SLEEPS)
    wait_for_orphans()
    assert not ended(child), "its owner lives"
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for_orphans()
    assert ended(child)


def test_an_orphan_that_ends_before_it_is_killed_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Ending:
        def kill(self) -> None:
            found.clear()
            raise psutil.NoSuchProcess(1)

    found = [Ending()]
    monkeypatch.setattr(owner, "PATIENCE", -1.0)
    monkeypatch.setattr(owner, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(owner, "_orphans", lambda: list(found))
    wait_for_orphans()
    assert found == []


def test_a_later_process_with_the_same_id_is_no_owner() -> None:
    identity = owned()[OWNER]
    assert owner._lives(identity)
    process_id, _, namespace = identity.split("@")
    assert process_id == str(os.getpid())
    assert namespace == str(Path("/proc/self/ns/pid").readlink())
    assert not owner._lives(f"{process_id}@{time.time() - 10**6}")
    assert not owner._lives(f"{2**22}@{time.time()}")


def test_a_process_of_another_container_is_no_orphan(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same id is another process there, so nothing is known about its owner."""
    with monkeypatch.context() as patched:
        patched.setattr(owner, "_namespace", lambda: "pid:[1]")
        of_elsewhere = f"{2**22}@{time.time()}@pid:[1]"
        elsewhere = subprocess.Popen(
            ["sleep", "60"], env=os.environ | {OWNER: of_elsewhere}, start_new_session=True
        )
        assert [process.pid for process in owner._orphans()] == [elsewhere.pid]
    try:
        assert list(owner._orphans()) == []
    finally:
        elsewhere.kill()
        elsewhere.wait()

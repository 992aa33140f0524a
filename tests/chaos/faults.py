"""Faults: kill -9 at one file operation of a command, and disks that are full or read-only.

strace counts the calls of each thread, and kills a process at a given call. The operation may or
may not take effect, as in a loss of power.
"""

import os
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDERS = (
    "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat",
    "link", "linkat", "symlink", "symlinkat",
)  # fmt: skip
"""Calls that change what a folder holds."""
FILES = ("openat", "write", "pwrite64", "ftruncate", "fsync", "fdatasync", "sendfile")
"""Calls that change what a file holds, or force it to the disk."""
BY_DESCRIPTOR = {*FILES} - {"openat"}
TO_LAST_PATH = {"rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"}
CALL = re.compile(r"^(?P<thread>\d+) +(?P<call>\w+)\((?P<arguments>.*)$")
DESCRIPTOR = re.compile(r"^\d+<(?P<path>/[^>]*)>")
NAMED = re.compile(r'(?:(?:\d+|AT_FDCWD)<(?P<folder>/[^>]*)>, )?"(?P<path>[^"]*)"')
FOR_WRITING = re.compile(r"\bO_(WRONLY|RDWR|CREAT|TRUNC)\b")
KILLED = re.compile(r"^(?P<thread>\d+) +\+\+\+ killed by SIGKILL")
FAILED = re.compile(r"\) += -1 ")
OF_OTHERS = (".git/", ".dvc/tmp/")
"""Folders in which git and DVC keep what they alone read."""

SECONDS = 900.0
"""A command that takes longer is killed, and has failed."""
Command = Sequence[str]
Environment = Mapping[str, str]


@dataclass(frozen=True)
class Point:
    """The ``number``-th call of a thread to ``call``. It changes ``path`` inside the clone."""

    call: str
    number: int
    path: str

    @property
    def kind(self) -> tuple[str, str]:
        """The call and the path without digits, which differ from run to run."""
        return self.call, re.sub(r"[0-9a-f]{6,}|\d+", "#", self.path)

    def __str__(self) -> str:
        return f"{self.call} no. {self.number}, {self.path}"


def points(command: Command, clone: Path, environment: Environment, seconds: float) -> list[Point]:
    """Run a command, and return every point at which it changes a file of the clone.

    Raises:
        RuntimeError: the command fails.
    """
    with tempfile.NamedTemporaryFile("r") as log:
        calls = ",".join(f"?{call}" for call in (*FOLDERS, *FILES))
        ended = _traced(command, clone, environment, seconds, log.name, calls)
        if ended.returncode:
            raise RuntimeError(f"{' '.join(command)}: {ended.stderr}")
        return list(points_of(log, clone))


def points_of(lines: Iterable[str], clone: Path) -> Iterator[Point]:
    """The points in a log of strace."""
    entered: Counter[tuple[str, str]] = Counter()
    for line in lines:
        if not (found := CALL.match(line)):
            continue  # a signal, an end, or the second half of a call
        call = found["call"]
        entered[found["thread"], call] += 1
        path = _changed(call, found["arguments"], clone)
        if path and not path.startswith(OF_OTHERS) and not FAILED.search(line):
            yield Point(call, entered[found["thread"], call], path)


def _changed(call: str, arguments: str, clone: Path) -> str | None:
    """The path that a call changes, relative to the clone. None: it changes nothing there."""
    if call == "openat" and not FOR_WRITING.search(arguments):
        return None
    named = _path_in(call, arguments)
    if named is None:
        return None
    path = os.path.normpath(clone / named)
    return os.path.relpath(path, clone) if path.startswith(f"{clone}/") else None


def _path_in(call: str, arguments: str) -> Path | None:
    """The path that a call changes: of its file descriptor, or the path among its arguments."""
    if call in BY_DESCRIPTOR:
        found = DESCRIPTOR.match(arguments)
        return Path(found["path"]) if found else None
    named = [*NAMED.finditer(arguments)]
    if not named:
        return None
    path = named[-1 if call in TO_LAST_PATH else 0]
    return Path(path["folder"] or "") / path["path"]


def kill(
    command: Command, point: Point, clone: Path, environment: Environment, seconds: float
) -> list[Point]:
    """Run a command, and kill each process of it that reaches the point.

    Returns:
        Where processes were killed. It is not always the point: in a command of several processes,
        the first one that makes so many calls is killed. If no process makes so many, the list is
        empty.
    """
    inject = f"{point.call}:signal=KILL:when={point.number}"
    with tempfile.NamedTemporaryFile("r") as log:
        _traced(command, clone, environment, seconds, log.name, point.call, inject)
        return list(kills_of(log, clone))


def kills_of(lines: Iterable[str], clone: Path) -> Iterator[Point]:
    """Where strace killed processes, by its log."""
    last: dict[str, Point] = {}
    entered: Counter[str] = Counter()
    for line in lines:
        if found := CALL.match(line):
            thread, call = found["thread"], found["call"]
            entered[thread] += 1
            path = _changed(call, found["arguments"], clone) or "a path outside the clone"
            last[thread] = Point(call, entered[thread], path)
        elif (ended := KILLED.match(line)) and ended["thread"] in last:
            yield last.pop(ended["thread"])


def _traced(  # noqa: PLR0913  what strace needs
    command: Command,
    clone: Path,
    environment: Environment,
    seconds: float,
    log: str,
    calls: str,
    inject: str = "",
) -> "subprocess.CompletedProcess[str]":
    options = ["-f", "-qq", "-y", "-o", log, "-e", f"trace={calls}"]
    options += ["-e", f"inject={inject}"] if inject else []
    return run(["strace", *options, *command], clone, environment, seconds)


def run(
    command: Command, clone: Path, environment: Environment, seconds: float
) -> "subprocess.CompletedProcess[str]":
    """Run a command in a clone. After so many seconds, it is killed with all its processes."""
    limited = ["timeout", "--signal=KILL", str(seconds), *command]
    return subprocess.run(limited, cwd=clone, env=environment, capture_output=True, text=True)


@contextmanager
def mounted(folder: Path, kind: str, megabytes: int) -> Iterator[Path]:
    """Mount an empty file system of a size at a folder.

    Args:
        folder: the place, which is created.
        kind: ``tmpfs``, or ``ext4``, whose order of directory entries is another one each time.
        megabytes: its size.
    """
    folder.mkdir(parents=True)
    image = folder.with_suffix(".img")
    if kind == "tmpfs":
        _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
    else:
        with image.open("wb") as file:
            file.truncate(megabytes * 2**20)
        subprocess.run(["mkfs.ext4", "-q", "-E", "nodiscard", str(image)], check=True)
        _mount("-o", "loop", str(image), str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        image.unlink(missing_ok=True)
        folder.rmdir()


def remount(folder: Path, options: str) -> None:
    """Change the size of a mounted tmpfs, or whether it can be written."""
    _mount("-o", f"remount,{options}", str(folder))


def used_kilobytes(folder: Path) -> int:
    """The used space of the file system of a folder."""
    return int(subprocess.check_output(["df", "--output=used", folder], text=True).split()[1])


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True, text=True)

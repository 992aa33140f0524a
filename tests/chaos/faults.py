"""Faults: kill -9 after one file operation of a command, and disks that are full or read-only."""

import os
import re
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

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
FAILED = re.compile(r"\) += -1 ")
OF_OTHERS = (".git/", ".dvc/tmp/")
"""Folders in which git and DVC keep what they alone read."""
UNSTABLE = re.compile(
    r"(?<=/\.)[\w-]{22}(?=\.tmp$)"  # DVC's temporary files
    r"|(?<=md5/)\w\w(?=/|$)"  # the folders of the objects in DVC's cache
    r"|[0-9a-f]{6,}|\d+"
)
"""Parts of paths that differ from run to run."""
HOLD = 1000
"""Microseconds that strace holds each process after a call, so that the kill comes in time."""
STAGE = re.compile(rb"(?:^|\0)DVC_STAGE=([^\0]*)")

SECONDS = 900.0
"""A command that takes longer hangs. It is killed, and has failed."""
Command = Sequence[str]
Environment = Mapping[str, str]


class Point(NamedTuple):
    """The ``number``-th call of a command to ``call`` on a path inside the clone.

    All processes of the command are counted together. ``path`` has ``#`` in place of digits.
    """

    call: str
    path: str
    number: int

    def __str__(self) -> str:
        return f"{self.call} no. {self.number} on {self.path}"


class NotReachedError(Exception):
    """The error that no process of a command has reached a point."""


def points(command: Command, clone: Path, environment: Environment) -> Counter[tuple[str, str]]:
    """Run a command, and count the calls that change a file of the clone, by call and path.

    Raises:
        RuntimeError: the command fails.
    """
    with tempfile.NamedTemporaryFile("r") as log:
        ended = run(_traced(command, log.name, *FOLDERS, *FILES), clone, environment)
        if ended.returncode:
            raise RuntimeError(f"{' '.join(command)}: {ended.stderr[-400:]}")
        return Counter(kind for _, kind in changes(log, clone))


def kill(command: Command, point: Point, clone: Path, environment: Environment) -> str:
    """Run a command, and kill the process that reaches the point, just after its call.

    Returns:
        The killed process: its stage in DVC or its program.

    Raises:
        NotReachedError: no process reached the point.
        TimeoutExpired: the other processes of the command hang.
    """
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        log = Path(folder) / "log"
        os.mkfifo(log)
        victim = pool.submit(_kill_at, point, log, clone)
        run(_traced(command, str(log), point.call, hold=True), clone, environment)
        if (name := victim.result()) is None:
            raise NotReachedError
        return name


def _kill_at(point: Point, log: Path, clone: Path) -> str | None:
    """Read the log of strace while it is written, and kill the process that reaches the point."""
    name = None
    with log.open() as lines:
        threads = (thread for thread, kind in changes(lines, clone) if kind == point[:2])
        for thread in islice(threads, point.number - 1, point.number):
            with suppress(OSError):  # it has just ended
                stage = STAGE.search(Path(f"/proc/{thread}/environ").read_bytes())
                program = Path(f"/proc/{thread}/comm").read_bytes().strip()
                os.kill(thread, signal.SIGKILL)
                name = (stage[1] if stage else program).decode()
        for _ in lines:  # strace waits until its log is read
            pass
    return name


def changes(lines: Iterable[str], clone: Path) -> Iterator[tuple[int, tuple[str, str]]]:
    """Each call in a log of strace that changes a file of the clone: its thread, name and path."""
    for line in lines:
        found = CALL.match(line)  # not a signal, an end, or the second half of a call
        if not found or FAILED.search(line):
            continue
        path = _changed(found["call"], found["arguments"], clone)
        if path and not path.startswith(OF_OTHERS):
            yield int(found["thread"]), (found["call"], UNSTABLE.sub("#", path))


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


def _traced(command: Command, log: str, *calls: str, hold: bool = False) -> Command:
    names = ",".join(f"?{call}" for call in calls)
    held = ["-e", f"inject={names}:delay_exit={HOLD}"] if hold else []
    options = ["-f", "-qq", "-y", "--seccomp-bpf", "-o", log, "-e", f"trace={names}", *held]
    return ["strace", *options, *command]


def run(
    command: Command, clone: Path, environment: Environment
) -> "subprocess.CompletedProcess[str]":
    """Run a command in a clone.

    Raises:
        TimeoutExpired: it hangs.
    """
    return end(start(command, clone, environment))


def start(command: Command, clone: Path, environment: Environment) -> "subprocess.Popen[str]":
    """Start a command in a clone, as the leader of a process group."""
    return subprocess.Popen(
        command,
        cwd=clone,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def end(process: "subprocess.Popen[str]") -> "subprocess.CompletedProcess[str]":
    """Wait until a process has ended. Kill its group if it hangs.

    Raises:
        TimeoutExpired: it hangs.
    """
    try:
        output, errors = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


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

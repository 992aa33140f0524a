"""Faults on one machine: kills, two commands at once, and disks that are full or read-only."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain, cycle, islice
from pathlib import Path
from typing import NamedTuple

from contents import VARIES, Contents, differences, expectation, seen
from faults import (
    FOLDERS,
    Command,
    Environment,
    Point,
    end,
    kill,
    points,
    remount,
    run,
    start,
    used_kilobytes,
)
from outcomes import Row
from scenes import Scene, start_of

from toy_study import wait_for

SEED = 0
MEGABYTES = 3000
SHARES = (0.0, 0.1, 0.25, 0.5, 0.75)
"""Free space on the disks that fill up, as a share of what the command needs."""


class Undisturbed(NamedTuple):
    """What an undisturbed command does: changes by call and path, contents, and used space."""

    points: Counter[tuple[str, str]]
    contents: Contents
    kilobytes: int


class Disk:
    """A clone on one file system, in which commands run."""

    def __init__(self, folder: Path, finished: Path, variables: Environment) -> None:
        self.folder = folder
        self.clone = folder / "clone"
        self.finished = finished
        self.variables = variables

    def begin(self, scene: Scene) -> None:
        start_of(scene, self.finished, self.clone)

    def undisturbed(self, scene: Scene) -> Undisturbed:
        self.begin(scene)
        before = used_kilobytes(self.folder)
        found = points(scene.command, self.clone, self.variables)
        for command in scene.then:
            run(command, self.clone, self.variables)
        return Undisturbed(found, seen(self.clone), used_kilobytes(self.folder) - before)

    def again(self, scene: Scene, expected: Contents) -> list[str]:
        """Run a disturbed scene again, and return what is wrong then."""
        for command in (scene.command, *scene.then):
            ended = run(command, self.clone, self.variables)
            said = ended.stdout + ended.stderr
            if ended.returncode:
                return [f"then {' '.join(command)} failed: {said.strip()[-400:]}"]
        problems = differences(self.clone, expected)
        if scene.then and "up to date" not in said:
            problems.append(f"in the end, something is stale: {said[-400:]}")
        return problems


class Disks(dict[str, Disk]):
    """The disks, by kind of file system."""

    def __init__(self, disks: Mapping[str, Disk]) -> None:
        super().__init__(disks)
        self._undisturbed: dict[Scene, Undisturbed] = {}

    def undisturbed(self, scene: Scene) -> Undisturbed:
        """What two undisturbed runs have in common, on two file systems if there are two."""
        if scene not in self._undisturbed:
            runs = [disk.undisturbed(scene) for disk in islice(cycle(self.values()), 2)]
            first, last = runs
            contents = expectation(first.contents, last.contents)
            vary = [name for name, content in contents.items() if VARIES in content]
            names = ", ".join(vary) or "nothing"
            print(f"{scene.name}: two undisturbed runs differ in {names}", flush=True)
            common = Undisturbed(first.points & last.points, contents, last.kilobytes)
            self._undisturbed[scene] = common
        return self._undisturbed[scene]


def chosen(found: Counter[tuple[str, str]], seed: str) -> Iterator[Point]:
    """Points at random, without end, each on another path as long as there are others.

    Calls that change folders and calls that change files take turns.
    """
    choice = random.Random(seed)
    kinds = choice.sample(sorted(found), len(found))
    folders = [kind for kind in kinds if kind[0] in FOLDERS]
    files = [kind for kind in kinds if kind[0] not in FOLDERS]
    turns = zip(*(cycle(group) for group in (folders, files) if group), strict=False)
    for kind in chain.from_iterable(turns):
        yield Point(*kind, choice.randint(1, found[kind]))


def kill_often(disks: Disks, row: Row, scene: Scene, kind: str, number: int) -> None:
    """Kill a scene at ``number`` points."""
    found, expected, _ = disks.undisturbed(scene)
    disk = disks[kind]
    for point in islice(chosen(found, f"{SEED} {scene.name} {kind}"), 2 * number):
        if len(row.faults) == number:
            return
        with row.fault(str(point)) as fault:
            disk.begin(scene)
            victim = kill(scene.command, point, disk.clone, disk.variables)
            fault.name += f", in {victim}"
            fault.problems += disk.again(scene, expected)
    if len(row.faults) < number:
        with row.fault("more kills") as fault:
            fault.problems.append(f"of {number} points, too few were reached")


def two_at_once(disks: Disks, row: Row, scene: Scene, kind: str) -> None:
    """Start a scene while it works. The second one must wait, or end and name the first one."""
    expected = disks.undisturbed(scene).contents
    disk = disks[kind]
    with row.fault("two at once") as fault:
        disk.begin(scene)
        place: tuple[Command, Path, Environment] = (scene.command, disk.clone, disk.variables)
        first = start(*place)
        try:
            wait_for(disk.clone / scene.working, first)
            second = end(start(*place))
            waited = second.returncode == 0 and " 0 runs created" in second.stdout
            named = f"(process {first.pid} " in second.stderr and "already runn" in second.stderr
            refused = second.returncode == 1 and named and first.poll() is None
            ended = end(first)
        finally:
            first.kill()
        said = second.stdout + second.stderr + ended.stdout + ended.stderr
        if ended.returncode or not (waited or refused) or "Traceback" in said:
            fault.problems.append(f"two at once: {said}")
        fault.problems += disk.again(scene, expected)


def full_disk(disks: Disks, row: Row, scene: Scene) -> None:
    """Run a scene on a tmpfs with too little space, and again with space."""
    _, expected, need = disks.undisturbed(scene)
    disk = disks["tmpfs"]
    pages = {int(share * need) // 4 * 4 for share in SHARES}  # a tmpfs has pages of 4 kB
    for free in sorted(free for free in pages if free < need):
        with row.fault(f"{free} of {need} kB free") as fault:
            disk.begin(scene)
            size = used_kilobytes(disk.folder) + free
            fault.problems += _refused(disk, scene, f"size={size}k")
            fault.problems += disk.again(scene, expected)


def read_only(disks: Disks, row: Row, scene: Scene) -> None:
    """Run a scene on a read-only tmpfs, and again when it can be written."""
    expected = disks.undisturbed(scene).contents
    disk = disks["tmpfs"]
    with row.fault("read-only") as fault:
        disk.begin(scene)
        fault.problems += _refused(disk, scene, "ro")
        fault.problems += disk.again(scene, expected)


def _refused(disk: Disk, scene: Scene, options: str) -> list[str]:
    """Run a scene on a disk that was remounted. It must fail with a message.

    If only MLflow's database does not fit, `ganvae repro` has done its work, and warns.
    """
    remount(disk.folder, options)
    try:
        ended = run(scene.command, disk.clone, disk.variables)
    finally:
        remount(disk.folder, f"rw,size={MEGABYTES}m")
    said = ended.stdout + ended.stderr
    failed = ended.returncode == 1 and "error: " in ended.stderr
    warned = scene.then and ended.returncode == 0 and "warning: MLflow" in ended.stderr
    if "Traceback" in said or not (failed or warned):
        return [f"on this disk it ended with status {ended.returncode}: {said[-400:]}"]
    return []

"""Disturb commands of the pipeline, run them again, and compare with undisturbed runs.

    python tests/chaos/campaign.py [--only SCENE ...] [--write PAGE]

The faults are chosen with fixed seeds from the file operations of an undisturbed run. The exit
status is 1 if there is a failure. The campaign runs on Linux as root, because it mounts disks. It
needs strace, PostgreSQL and SLURM.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from faults import (
    FOLDERS,
    SECONDS,
    Environment,
    Point,
    kill,
    mounted,
    points,
    remount,
    run,
    used_kilobytes,
)
from fleets import kill_workers, lose_nodes
from outcomes import Row, table, write
from scenes import (
    SCENES,
    Scene,
    differences,
    environment,
    expectation,
    finished_clone,
    seen,
    start_of,
)

from slurm import COMMANDS

SEED = 0
FLEETS = "fleets"
KINDS = ("ext4", "tmpfs")
MEGABYTES = 3000
KILLS = {"train": 30, "evaluate": 20, "publish": 15, "compare": 15, "sync": 20, "repro": 10}
"""Kills per scene on each file system."""
SHARES = (0.0, 0.1, 0.25, 0.5, 0.75)
"""Free space on the disks that fill up, as a share of what the command needs."""
SWEEPS, WORKER_KILLS = 3, 10
CLUSTERS, NODE_LOSSES = 2, 2
RESULTS = ("artifacts", "data", "results")


class Disk:
    """Scenes in a clone on one file system."""

    def __init__(self, folder: Path, finished: Path, variables: Environment) -> None:
        self.folder = folder
        self.clone = folder / "clone"
        self._finished = finished
        self._variables = variables

    def start(self, scene: Scene) -> None:
        start_of(scene, self._finished, self.clone)

    def run(self, scene: Scene) -> "subprocess.CompletedProcess[str]":
        return run(scene.command, self.clone, self._variables, SECONDS)

    def undisturbed(self, scene: Scene) -> tuple[list[Point], dict[str, str]]:
        """The points at which a scene can be killed, and what it leaves behind."""
        self.start(scene)
        found = points(scene.command, self.clone, self._variables, SECONDS)
        first = seen(self.clone)
        self.start(scene)
        self.run(scene)
        return found, expectation(first, seen(self.clone))

    def again(self, scene: Scene, expected: Mapping[str, str]) -> list[str]:
        """Run a disturbed scene again, and return what is wrong then."""
        ended = self.run(scene)
        if ended.returncode:
            return [f"the same command failed: {(ended.stdout + ended.stderr).strip()[-400:]}"]
        return differences(self.clone, expected)

    def kill(self, scene: Scene, point: Point) -> list[Point]:
        """Start a scene, and kill it at a point. Return where processes were killed."""
        self.start(scene)
        return kill(scene.command, point, self.clone, self._variables, SECONDS)

    def two_at_once(self, scene: Scene, expected: Mapping[str, str]) -> list[str]:
        """Start a scene twice at once, and then again."""
        self.start(scene)
        both = [
            subprocess.Popen(
                ["timeout", "--signal=KILL", str(SECONDS), *scene.command],
                cwd=self.clone,
                env=self._variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(2)
        ]
        outputs = [process.communicate()[0] for process in both]
        problems = [text[-400:] for text in outputs if "Traceback" in text]
        if all(process.returncode for process in both):
            problems.append(f"both failed: {outputs}")
        return problems + self.again(scene, expected)


def chosen(found: Sequence[Point], number: int, seed: str) -> list[Point]:
    """Points at random. Calls that change folders and calls that change files take turns.

    Of equal operations, such as the writes of one file, only one is chosen, as long as there are
    others.
    """
    choice = random.Random(seed)
    by_kind: dict[tuple[str, str], list[Point]] = {}
    for point in found:
        by_kind.setdefault(point.kind, []).append(point)
    picked = [choice.choice(by_kind[kind]) for kind in sorted(by_kind)]
    choice.shuffle(picked)
    folders = [point for point in picked if point.call in FOLDERS]
    files = [point for point in picked if point.call not in FOLDERS]
    turns = [point for pair in zip(folders, files, strict=False) for point in pair]
    others = choice.sample(found, len(found))
    different: dict[tuple[str, int], Point] = {}
    for point in (*turns, *picked, *others):
        different.setdefault((point.call, point.number), point)
    return list(different.values())[:number]


def disturb(disk: Disk, scene: Scene, kind: str, number: int) -> Iterator[Row]:
    """Kill a scene at ``number`` points, and run it twice at once if a user can."""
    found, expected = disk.undisturbed(scene)
    row = Row(scene.name, f"kill -9, {kind}")
    for point in chosen(found, number, f"{SEED} {scene.name} {kind}"):
        if killed := disk.kill(scene, point):
            row.add("; ".join(map(str, killed)), disk.again(scene, expected))
        else:
            print(f"{scene.name}, {kind}: no process reached {point}", flush=True)
    yield row
    if not scene.alone:
        row = Row(scene.name, f"two at once, {kind}")
        row.add("two at once", disk.two_at_once(scene, expected))
        yield row


def fill(disk: Disk, scene: Scene) -> Iterator[Row]:
    """Run a scene on a tmpfs with too little space, or read-only, and again with space."""
    expected = disk.undisturbed(scene)[1]
    with_all = used_kilobytes(disk.folder)
    full, read_only = Row(scene.name, "full disk"), Row(scene.name, "read-only disk")
    for share in SHARES:
        disk.start(scene)
        used = used_kilobytes(disk.folder)
        free = int(share * (with_all - used))
        full.add(f"{free} kB free", _on(disk, scene, expected, f"size={used + free}k"))
    disk.start(scene)
    read_only.add("read-only", _on(disk, scene, expected, "ro"))
    yield from (full, read_only)


def _on(disk: Disk, scene: Scene, expected: Mapping[str, str], options: str) -> list[str]:
    """Run a scene on a disk that was remounted, which must fail with a message. Run it again."""
    remount(disk.folder, options)
    try:
        ended = disk.run(scene)
    finally:
        remount(disk.folder, f"rw,size={MEGABYTES}m")
    said = ended.stdout + ended.stderr
    problems = [f"a traceback: {said[-400:]}"] if "Traceback" in said else []
    if not ended.returncode:
        problems.append("the command did not notice the disk")
    elif not said.strip():
        problems.append("the command said nothing")
    return problems + disk.again(scene, expected)


def fleets(folder: Path, finished: Path, variables: Environment) -> Iterator[Row]:
    """Kill the workers of sweeps, and lose the nodes of a cluster."""
    row = Row("sweep worker", "kill -9, four workers")
    for seed in range(SWEEPS):
        place = folder / f"sweep-{seed}"
        place.mkdir()
        for fault, problems in kill_workers(place, WORKER_KILLS, seed):
            row.add(fault, problems)
    yield row
    row = Row("repro --on slurm", "lost nodes")
    scene = SCENES["repro"]
    here = Disk(folder / "local", finished, variables)
    expected = here.undisturbed(scene)[1]
    for seed in range(CLUSTERS):
        place, clone = folder / f"slurm-{seed}", folder / f"head-{seed}"
        place.mkdir()
        start_of(scene, finished, clone)
        lost, problems = lose_nodes(clone, variables, place, NODE_LOSSES, seed)
        problems += differences(clone, expected, only=RESULTS)
        for number, name in enumerate(lost, start=1):
            row.add(f"{name} lost", problems if number == len(lost) else [])
    yield row


def campaign(names: Sequence[str]) -> Iterator[Row]:
    """Disturb the scenes with these names on each file system."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        variables = environment(folder)
        finished = finished_clone(folder, variables, SECONDS)
        for kind in KINDS:
            with mounted(folder / kind, kind, MEGABYTES) as place:
                disk = Disk(place, finished, variables)
                for scene in (SCENES[name] for name in names if name in SCENES):
                    yield from disturb(disk, scene, kind, KILLS[scene.name])
                    if kind == "tmpfs":
                        yield from fill(disk, scene)
        if FLEETS in names:
            yield from fleets(folder, finished, variables)


def check_machine() -> None:
    """End with a message if the campaign cannot run on this machine."""
    missing = [name for name in ("strace", "mkfs.ext4", *COMMANDS) if not shutil.which(name)]
    if missing:
        sys.exit(f"error: these programs are missing: {', '.join(missing)}.")
    if os.geteuid() != 0:
        sys.exit("error: the campaign mounts disks. Run it as root.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=[*SCENES, FLEETS], default=[*SCENES, FLEETS])
    parser.add_argument("--write", type=Path, metavar="PAGE")
    options = parser.parse_args()
    check_machine()
    rows = list(campaign(options.only))
    print(table(rows))
    if options.write:
        write(options.write, rows)
    sys.exit(any(row.failures for row in rows))


if __name__ == "__main__":
    main()

"""Disturb commands of the pipeline, run them again, and compare with undisturbed runs.

    python tests/chaos/campaign.py [--only TEXT ...] [--kills N] [--write PAGE]

``--only train`` and ``--only "repro, full"`` fill the rows whose names begin so.

The faults are chosen with fixed seeds from the file operations of an undisturbed run. The exit
status is 1 if there is a failure. The campaign runs on Linux as root, because it mounts disks.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from disks import MEGABYTES, Disk, Disks, full_disk, kill_often, read_only, two_at_once
from faults import mounted
from fleets import kill_workers, lose_nodes
from outcomes import Row, table, write
from scenes import SCENES, environment, finished_clone

from postgres import server_programs
from slurm import COMMANDS

KINDS = ("ext4", "tmpfs")
KILLS = {
    "train": 30, "evaluate": 20, "publish": 10, "publish again": 10, "compare": 15, "sync": 20,
    "repro": 10,
}  # fmt: skip
"""Kills per scene on each file system."""
WORKER_KILLS, NODE_LOSSES = 30, 4
HERE = frozenset({"strace", "mkfs.ext4", "mount"})
SWEEPS = frozenset({"initdb", "setpriv"})


class Plan(NamedTuple):
    """A row of the table, the programs that it needs, and the function that fills it."""

    row: Row
    programs: frozenset[str]
    fill: Callable[[Disks, Row], None]


def plans(kills: int | None) -> Iterator[Plan]:
    """All rows. ``kills`` replaces the number of kills of each row."""
    for scene in SCENES:
        for kind in KINDS:
            fill = partial(kill_often, scene=scene, kind=kind, number=kills or KILLS[scene.name])
            yield Plan(Row(scene.name, f"kill -9, {kind}"), HERE, fill)
            if scene.working:
                fill = partial(two_at_once, scene=scene, kind=kind)
                yield Plan(Row(scene.name, f"two at once, {kind}"), HERE, fill)
        if scene.removed:  # otherwise the command needs no further space
            yield Plan(Row(scene.name, "full disk"), HERE, partial(full_disk, scene=scene))
            yield Plan(Row(scene.name, "read-only disk"), HERE, partial(read_only, scene=scene))
    fill = partial(kill_workers, number=kills or WORKER_KILLS)
    yield Plan(Row("sweep worker", "kill -9, four workers"), SWEEPS, fill)
    fill = partial(lose_nodes, number=kills or NODE_LOSSES)
    yield Plan(Row("repro --on slurm", "lost nodes"), HERE.union(COMMANDS), fill)


def check_machine(wanted: list[Plan]) -> None:
    """End with a message if this machine cannot fill the rows."""
    needed = frozenset.union(*(plan.programs for plan in wanted))
    missing = {program for program in needed if not shutil.which(program)}
    if server_programs():
        missing.discard("initdb")
    if missing:
        sys.exit(f"error: these programs are missing: {', '.join(sorted(missing))}.")
    if os.geteuid() != 0:
        sys.exit("error: the campaign mounts disks. Run it as root.")


def campaign(wanted: list[Plan]) -> Iterator[Row]:
    """Fill rows, and yield each one when it is complete. An error only fails its row."""
    with ExitStack() as stack:
        disks = Disks({})
        if any(plan.programs >= HERE for plan in wanted):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            variables = environment(folder)
            places = {
                kind: stack.enter_context(mounted(folder / kind, kind, MEGABYTES)) for kind in KINDS
            }
            finished = finished_clone(folder, variables)
            disks |= {kind: Disk(place, finished, variables) for kind, place in places.items()}
        for plan in wanted:
            try:
                plan.fill(disks, plan.row)
            except Exception:
                with plan.row.fault("none"):
                    raise
            yield plan.row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT", help="names of rows")
    parser.add_argument("--kills", type=int, metavar="N", help="kills per row")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="the page for the table")
    options = parser.parse_args()
    only = tuple(options.only)
    wanted = [plan for plan in plans(options.kills) if str(plan.row).startswith(only)]
    if not wanted:
        names = "\n".join(str(plan.row) for plan in plans(None))
        sys.exit(f"error: no row has a name that begins with {' or '.join(only)}:\n{names}")
    check_machine(wanted)
    rows = []
    for row in campaign(wanted):
        rows.append(row)
        if options.write:
            write(options.write, rows)
    print(table(rows))
    sys.exit(any(row.failures for row in rows))


if __name__ == "__main__":
    main()

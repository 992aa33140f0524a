"""A small part of the campaign: `make chaos` kills six commands, some hundred times."""

import shutil
from pathlib import Path

import pytest
from campaign import SECONDS, Disk, chosen, disturb
from faults import Point, kills_of, points_of
from scenes import SCENES, VARIES, differences, environment, expectation, finished_clone

from programs import skip_without

KILLS = 1
LOG = """\
7 openat(AT_FDCWD</clone>, "results/a.json", O_RDONLY) = 3</clone/results/a.json>
7 openat(AT_FDCWD</clone>, "results/.a.tmp", O_WRONLY|O_CREAT, 0666) = 3</clone/results/.a.tmp>
7 write(3</clone/results/.a.tmp>, "text with \\"quotes\\"", 18) = 18
7 write(1<pipe:[5]>, "to the terminal", 15) = 15
8 write(4</elsewhere/b>, "x", 1) = 1
7 rename("results/.a.tmp", "results/a.json") = 0
7 mkdir("/clone/results", 0777) = -1 EEXIST (File exists)
7 unlinkat(5</elsewhere>, "c", 0) = 0
7 unlinkat(5</clone/.state>, "c", 0) = 0
7 unlinkat(5</clone/.git>, "index.lock", 0 <unfinished ...>
7 <... unlinkat resumed>) = 0
7 fsync(3</clone/results>) = 0
"""


def test_the_points_are_the_changes_inside_the_clone() -> None:
    assert list(points_of(LOG.splitlines(), Path("/clone"))) == [
        Point("openat", 2, "results/.a.tmp"),
        Point("write", 1, "results/.a.tmp"),
        Point("rename", 1, "results/a.json"),
        Point("unlinkat", 2, ".state/c"),
        Point("fsync", 1, "results"),
    ]


def test_the_log_tells_where_a_process_was_killed() -> None:
    log = [*LOG.splitlines()[-2:], "8 +++ killed by SIGKILL +++", "7 +++ killed by SIGKILL +++"]
    assert list(kills_of(log, Path("/clone"))) == [Point("fsync", 1, "results")]
    assert list(kills_of(LOG.splitlines(), Path("/clone"))) == []


def test_kills_are_spread_over_different_operations() -> None:
    found = [Point("write", number, "a.123") for number in range(1, 50)]
    found += [Point("rename", 1, "a"), Point("fsync", 1, "a")]
    three = chosen(found, 3, "seed")
    assert {point.call for point in three} == {"write", "rename", "fsync"}
    assert chosen(found, 3, "seed") == three
    assert len({*chosen(found, 20, "seed")}) == 20


def test_each_difference_from_the_undisturbed_run_is_named(tmp_path: Path) -> None:
    for name in ("same", "changed", "left", "time.json"):
        (tmp_path / name).write_text("{}")
    twice = {"same": "1", "changed": "2", "gone": "3", "time.json": "4"}
    expected = expectation(twice, twice | {"time.json": "5"})
    assert expected["time.json"] == VARIES
    found = differences(tmp_path, expected)
    assert found == ["missing: gone", "left over: left", "differs: same", "differs: changed"]
    (tmp_path / "time.json").write_text("{")
    assert "damaged: time.json" in differences(tmp_path, expected)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Disk:
    if not shutil.which("strace"):
        skip_without("strace", "strace")
    folder = tmp_path_factory.mktemp("campaign")
    variables = environment(folder)
    return Disk(folder, finished_clone(folder, variables, SECONDS), variables)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train", "sync"])
def test_the_same_command_mends_what_kills_have_left(disk: Disk, name: str) -> None:
    for row in disturb(disk, SCENES[name], "any disk", KILLS):
        assert row.outcomes
        assert row.failures == []

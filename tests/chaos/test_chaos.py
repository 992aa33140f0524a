"""A small part of the campaign: `make chaos` kills six commands, some hundred times."""

import shutil
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from contents import VARIES, Content, differences, expectation, seen
from disks import Disk, Disks, chosen, kill_often, two_at_once
from faults import NotReachedError, changes
from outcomes import Row, table
from scenes import SCENES, environment, finished_clone

from programs import skip_without

KIND = "any disk"
KILLS = 1
LOG = """\
7 openat(AT_FDCWD</clone>, "results/a.json", O_RDONLY) = 3</clone/results/a.json>
7 openat(AT_FDCWD</clone>, "results/.a.12.tmp", O_WRONLY|O_CREAT, 0666) = 3<...>
7 write(3</clone/results/.a.12.tmp>, "text with \\"quotes\\"", 18) = 18 (DELAYED)
7 write(1<pipe:[5]>, "to the terminal", 15) = 15
8 write(4</elsewhere/b>, "x", 1) = 1
7 rename("results/.a.12.tmp", "results/a.json") = 0
7 mkdir("/clone/results", 0777) = -1 EEXIST (File exists)
7 unlinkat(5</elsewhere>, "c", 0) = 0
8 unlinkat(5</clone/.state>, "c", 0 <unfinished ...>
8 <... unlinkat resumed>) = 0
7 unlinkat(5</clone/.git>, "index.lock", 0) = 0
7 mkdir("/clone/.dvc/cache/files/md5/ab", 0777) = 0
7 +++ killed by SIGKILL +++
"""


def test_the_changes_inside_the_clone_are_found_in_the_log() -> None:
    assert list(changes(LOG.splitlines(), Path("/clone"))) == [
        (7, ("openat", "results/.a.#.tmp")),
        (7, ("write", "results/.a.#.tmp")),
        (7, ("rename", "results/a.json")),
        (8, ("unlinkat", ".state/c")),
        (7, ("mkdir", ".dvc/cache/files/md#/#")),
    ]


def test_kills_are_spread_over_different_operations() -> None:
    found = Counter({("write", "a.#"): 50, ("rename", "a"): 1, ("fsync", "a"): 1})
    six = list(islice(chosen(found, "seed"), 6))
    assert list(islice(chosen(found, "seed"), 6)) == six
    assert [point.call for point in six[::2]] == ["rename"] * 3
    assert {point.call for point in six[1::2]} == {"write", "fsync"}
    assert all(1 <= point.number <= found[point[:2]] for point in six)
    assert list(chosen(Counter(), "seed")) == []


def test_each_difference_from_the_undisturbed_run_is_named(tmp_path: Path) -> None:
    for name in ("same", "changed", "left", "time.json"):
        (tmp_path / name).write_text('{"seconds": 1}')
    first = seen(tmp_path)
    same = first["same"]
    twice = {"same": same, "changed": Content("2", "data"), "gone": same}
    times = [{"time.json": Content(str(time), first["time.json"].shape)} for time in (4, 5)]
    expected = expectation(*(twice | time for time in times))
    assert expected["time.json"].exact == VARIES
    found = ["missing: gone", "left over: left", "differs: changed"]
    assert differences(tmp_path, expected) == found
    (tmp_path / "time.json").write_text('{"seconds": 1')
    assert differences(tmp_path, expected) == [*found, "differs: time.json"]
    with pytest.raises(ValueError, match="left gone"):
        expectation(twice, {"same": same, "changed": same})


@pytest.mark.parametrize(
    ("name", "content", "other"),
    [
        ("a.json", '{"b": [1, 2]}', '{"b": [3, 4]}'),
        ("dvc.lock", "stages:\n  a:\n    md5: 1\n", "stages:\n  a:\n    md5: 2\n"),
        ("a.csv", "a,b\n1,2\n", "a,b\n3,4\n"),
        ("a.html", "<html>1</html>\n", "<html>2</html>\n"),
    ],
)
def test_a_file_that_varies_must_have_its_shape(
    tmp_path: Path, name: str, content: str, other: str
) -> None:
    shapes = []
    for text in (content, other, content[:-4]):
        (tmp_path / name).write_text(text)
        shapes.append(seen(tmp_path)[name].shape)
    assert shapes[0] == shapes[1] != shapes[2]


def test_an_error_fails_its_fault_and_an_empty_row_has_failed() -> None:
    row = Row("train", "kill -9")
    assert row.failures == 1
    with row.fault("not reached"):
        raise NotReachedError
    assert row.faults == []
    with row.fault("a mount") as fault:
        fault.name += ", full"
        raise OSError("no device")
    with row.fault("a kill"):
        pass
    assert row.faults[0].problems == ["OSError: no device"]
    assert table([row]).endswith("| `train` | kill -9 | 2 | 1 |\n| all | | 2 | 1 |")


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Disks:
    if not shutil.which("strace"):
        skip_without("strace", "strace")
    folder = tmp_path_factory.mktemp("campaign")
    variables = environment(folder)
    return Disks({KIND: Disk(folder, finished_clone(folder, variables), variables)})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train", "sync"])
def test_the_same_command_mends_what_disturbances_have_left(disks: Disks, name: str) -> None:
    (scene,) = (scene for scene in SCENES if scene.name == name)
    row = Row(scene.name, KIND)
    kill_often(disks, row, scene, KIND, KILLS)
    if scene.working:
        two_at_once(disks, row, scene, KIND)
    assert row.failures == 0, row

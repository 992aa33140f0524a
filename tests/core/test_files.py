"""Atomic writing of files, JSON, CSV and tensors."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ganvae.core import files
from ganvae.core.errors import DataError, UserError, exit_with_message
from ganvae.core.files import (
    read_json,
    remove_folder,
    replacing,
    sha256,
    write_csv,
    write_json,
    write_text,
)
from ganvae.core.tensors import load_tensors, save_tensors


def test_a_failed_write_keeps_the_old_file_and_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    write_text(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_reported() -> None:
    path = Path("/dev/full")
    message = "cannot write /dev/full: No space left on device"
    with pytest.raises(UserError, match=message), replacing(path):
        path.write_text("x" * 10**5)


def test_a_file_in_place_of_a_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        write_json(tmp_path / "results/scores.json", {})


def test_a_folder_replaces_a_folder(tmp_path: Path) -> None:
    for content in ("old", "new"):
        with replacing(tmp_path / "folder") as temporary:
            temporary.mkdir()
            (temporary / content).touch()
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["new"]


REPLACED = """
import os, sys
from pathlib import Path
from ganvae.core.files import replacing

def killed(*arguments):
    if next(calls) == int(sys.argv[1]):
        os._exit(9)
    replace(*arguments)

calls, replace, os.replace = iter(range(9)), os.replace, killed
with replacing(Path("folder")) as temporary:
    temporary.mkdir()
    (temporary / "new").touch()
"""


@pytest.mark.parametrize("renames", [0, 1])
def test_a_kill_while_a_folder_is_replaced_keeps_the_old_folder(
    renames: int, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/old").touch()
    command = [sys.executable, "-c", REPLACED, str(renames)]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 9
    with pytest.raises(RuntimeError), replacing(tmp_path / "folder"):
        raise RuntimeError
    assert list(tmp_path.rglob("*")) == [tmp_path / "folder", tmp_path / "folder/old"]


def test_a_failed_rename_keeps_the_old_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    (folder / "old").mkdir(parents=True)
    replace = os.replace

    def failing(old: Path, new: Path) -> None:
        if old == files._temporary(folder):
            raise OSError(28, "No space left on device")
        replace(old, new)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(UserError, match="No space left"), replacing(folder) as temporary:
        temporary.mkdir()
    assert list(tmp_path.rglob("*")) == [folder, folder / "old"]


@pytest.mark.parametrize("kind", ["", "-old", "-aside"])
def test_a_leftover_with_the_id_of_this_process_is_removed(kind: str, tmp_path: Path) -> None:
    """In a container, a process often has the same id as an earlier process that was killed."""
    folder = tmp_path / "folder"
    for path in (folder, files._temporary(folder, kind)):
        (path / "old").mkdir(parents=True)
    with replacing(folder) as temporary:
        temporary.mkdir()
    assert list(tmp_path.rglob("*")) == [folder]
    (files._temporary(folder, kind) / "old").mkdir(parents=True)
    remove_folder(folder)
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_ended_processes_are_removed_and_those_of_living_ones_kept(
    tmp_path: Path,
) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    living = os.getppid()
    for name in ("scores.json", "other.json"):
        (tmp_path / f".{name}.{ended.pid}.tmp").touch()
    (tmp_path / f".scores.json.{ended.pid}-old.tmp").mkdir()
    (tmp_path / f".scores.json.{living}.tmp").touch()
    write_text(tmp_path / "scores.json", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [f".other.json.{ended.pid}.tmp", f".scores.json.{living}.tmp", "scores.json"]
    )


def test_a_removed_folder_takes_along_what_earlier_crashes_left(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / "folder").mkdir()
    (tmp_path / f".folder.{ended.pid}-old.tmp").mkdir()
    remove_folder(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_missing_folder_are_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    for kind in ("-old", "-aside"):
        (tmp_path / f".folder.{ended.pid}{kind}.tmp").mkdir()
    remove_folder(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_new_content_is_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def traced(name: str, describe: Callable[..., str]) -> None:
        original = getattr(os, name)

        def call(*arguments: Any, **named: Any) -> Any:
            calls.append(describe(*arguments))
            return original(*arguments, **named)

        monkeypatch.setattr(os, name, call)

    traced("fsync", lambda descriptor: f"fsync {Path(f'/proc/self/fd/{descriptor}').readlink()}")
    traced("replace", lambda old, new: f"rename to {new}")
    traced("sync", lambda: "sync")
    path = tmp_path / "scores.json"
    write_text(path, "new")
    assert calls == [f"fsync {files._temporary(path)}", f"rename to {path}", f"fsync {tmp_path}"]
    calls.clear()
    with replacing(tmp_path / "folder") as temporary:
        temporary.mkdir()
        (temporary / "new").touch()
    assert calls == ["sync", f"rename to {tmp_path / 'folder'}", f"fsync {tmp_path}"]


def test_a_folder_is_removed_whole_even_if_the_removal_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "state"
    (folder / "samples").mkdir(parents=True)

    def killed(*arguments: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        remove_folder(folder)
    assert not folder.exists()


def test_nan_is_refused_in_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nan"):
        write_json(tmp_path / "x.json", {"fid": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_missing_and_invalid_json_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.json is missing"):
        read_json(tmp_path / "none.json")
    (tmp_path / "cut.json").write_text('{"a": ')
    with pytest.raises(UserError, match=r"cut\.json is not valid JSON"):
        read_json(tmp_path / "cut.json")


def test_null_and_missing_values_are_empty_csv_cells(tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", [{"a": 1, "b": None}, {"a": 2}], ["a", "b"])
    assert (tmp_path / "x.csv").read_text() == "a,b\n1,\n2,\n"


def test_equal_tensors_give_equal_bytes(tmp_path: Path) -> None:
    metadata = {str(number): number for number in range(20)}
    sums = set()
    for number in range(4):
        path = tmp_path / f"{number}.safetensors"
        save_tensors(path, {"b": torch.ones(2), "a": torch.zeros(3)}, metadata)
        sums.add(sha256(path))
    assert len(sums) == 1
    tensors, read = load_tensors(path)
    assert read == json.loads(json.dumps(metadata))
    assert torch.equal(tensors["b"], torch.ones(2))


@pytest.mark.parametrize("content", [None, b"", b"not tensors at all", b"\x08" + b"\0" * 7 + b"{}"])
def test_damaged_tensor_files_are_reported(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "weights.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=str(path)):
        load_tensors(path)


def test_pipes_and_devices_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for read in (read_json, load_tensors, sha256):
        with pytest.raises(DataError, match="pipe is a named pipe, which is never opened"):
            read(tmp_path / "pipe")
        with pytest.raises(DataError, match="/dev/zero is a device, which is never opened"):
            read(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe{\x00}\x00", r"is not UTF-8 text \(byte 0 is 0xff\)"),
        (b'{"a": NaN}', "is not valid JSON .NaN is not a JSON number"),
        (b'"\\ud800"', "is not valid JSON"),
        (b'{"a": 1, "a": 2}', "is not valid JSON .the key 'a' occurs twice"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"1" * 5000, "is not valid JSON"),
    ],
)
def test_odd_json_gives_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UserError, match=f"a.json {message}") as error:
        read_json(tmp_path / "a.json")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied", "x.npy"), MemoryError()]
)
def test_permissions_and_memory_end_without_a_traceback(error: Exception) -> None:
    def fails() -> None:
        raise error

    with pytest.raises(SystemExit, match=r"^error: (x\.npy: Permission denied\. C|this mach)"):
        exit_with_message(fails)


def test_a_folder_whose_parent_is_missing_counts_as_removed(tmp_path: Path) -> None:
    remove_folder(tmp_path / "missing/folder")
    assert list(tmp_path.iterdir()) == []

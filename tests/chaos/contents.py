"""What a clone holds, and how it differs from what undisturbed runs leave."""

import hashlib
import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from ruamel.yaml import YAML

DATABASE = "mlflow.db"
OF_OTHERS = ((".git",), (".dvc", "tmp"), (".dvc", "cache"), (DATABASE,))
"""Folders that only git and DVC read, and the database, whose rows are compared."""
OBJECTS = ".dvc/cache/files/md5"
OBJECT = re.compile(r"[0-9a-f]{32}(\.dir)?")
OF_RUN = "JOIN runs r USING (run_uuid) WHERE lifecycle_stage = 'active'"
OF_VERSION = "JOIN runs r ON r.run_uuid = v.run_id"
ROWS = {
    "run": "SELECT name, status FROM runs WHERE lifecycle_stage = 'active'",
    "parameter": f"SELECT r.name || ' ' || key, value FROM params {OF_RUN}",
    "metric": f"SELECT r.name || ' ' || key, value || ' at ' || step FROM latest_metrics {OF_RUN}",
    "point": f"SELECT r.name || ' ' || key || ' at ' || step, value FROM metrics {OF_RUN}",
    "tag": f"SELECT r.name || ' ' || key, value FROM tags {OF_RUN}",
    "note": "SELECT e.name || ' ' || key, value FROM experiment_tags "
    "JOIN experiments e USING (experiment_id)",
    "input": "SELECT r.name || ' ' || d.name, digest || ' ' || dataset_source FROM inputs "
    "JOIN datasets d ON dataset_uuid = source_id JOIN runs r ON run_uuid = destination_id "
    "WHERE lifecycle_stage = 'active'",
    "logged model": "SELECT m.name, r.name || ' ' || m.status FROM logged_models m "
    "LEFT JOIN runs r ON run_uuid = source_run_id WHERE m.lifecycle_stage = 'active'",
    "model version": f"SELECT v.name, r.name FROM model_versions v {OF_VERSION}",
    "alias": "SELECT a.name || ' ' || alias, r.name FROM registered_model_aliases a "
    f"JOIN model_versions v ON v.name = a.name AND v.version = a.version {OF_VERSION}",
}
"""Rows of MLflow's database: what each is about, and its value."""
RUN_ID = re.compile(r"\b[0-9a-f]{32}\b")
RANDOM = re.compile(r"[0-9a-f-]{8,}|\d+")
"""Ids and times of day in the names of pictures."""
VARIES = "differs between two undisturbed runs"


class Content(NamedTuple):
    """A file, a folder or a row. Files of other content can have the same shape."""

    exact: str
    shape: str


Contents = Mapping[str, Content]


def seen(clone: Path) -> dict[str, Content]:
    """What a clone holds: each file and folder, and the rows of MLflow's database.

    MLflow's files and their folders have random names, so only their contents are compared. Rows of
    one name are one content, so a row that exists twice differs from a single one.
    """
    found: dict[str, list[Content]] = defaultdict(list)
    for path in _paths(clone):
        relative = path.relative_to(clone)
        content = Content("folder", "folder") if path.is_dir() else _content(path)
        if relative.parts[0] != "mlartifacts":
            found[str(relative)].append(content)
        elif path.is_file():
            found[f"a file in MLflow named {RANDOM.sub('#', path.name)}"].append(content)
    for name, value in _rows(clone / DATABASE):
        found[name].append(Content(value, "row"))
    return {
        name: Content(*("; ".join(sorted(part)) for part in zip(*same, strict=True)))
        for name, same in found.items()
    }


def expectation(first: Contents, second: Contents) -> dict[str, Content]:
    """What two undisturbed runs have in common. What differs, such as a time of day, must exist.

    Raises:
        ValueError: only one of the runs has left a certain file or row.
    """
    if single := sorted(first.keys() ^ second.keys()):
        raise ValueError(f"only one of two undisturbed runs has left {', '.join(single)}")
    pairs = {name: zip(first[name], second[name], strict=True) for name in first}
    return {
        name: Content(*(part if part == other else VARIES for part, other in pair))
        for name, pair in pairs.items()
    }


def differences(clone: Path, expected: Contents, only: tuple[str, ...] = ("",)) -> list[str]:
    """One line per file or row that is missing, left over, different or damaged.

    Args:
        clone: the clone to compare.
        expected: what it must hold.
        only: the beginnings of the names to compare.
    """
    found = {name: content for name, content in seen(clone).items() if name.startswith(only)}
    wanted = {name: content for name, content in expected.items() if name.startswith(only)}
    missing = [f"missing: {name}" for name in wanted if name not in found]
    left_over = [f"left over: {name}" for name in found if name not in wanted]
    kept = [name for name in wanted if name in found]
    changed = [f"differs: {name}" for name in kept if not _agrees(found[name], wanted[name])]
    return [*missing, *left_over, *changed, *_damaged_objects(clone)]


def _agrees(found: Content, wanted: Content) -> bool:
    if wanted.exact != VARIES:
        return found.exact == wanted.exact
    return found.shape == wanted.shape or (wanted.shape == VARIES and "damaged" not in found.shape)


def _paths(clone: Path) -> Iterator[Path]:
    for path in sorted(clone.rglob("*")):
        parts = path.relative_to(clone).parts
        of_others = any(parts[: len(folder)] == folder for folder in OF_OTHERS)
        if not of_others and "__pycache__" not in parts:
            yield path


def _content(path: Path) -> Content:
    content = path.read_bytes()
    try:
        shape = _shape(path, content)
    except Exception as error:
        shape = f"damaged: {error}"
    return Content(hashlib.sha256(content).hexdigest(), shape)


def _shape(path: Path, content: bytes) -> str:
    """What files of one name have in common if their contents vary."""
    match path.suffix:
        case ".json":
            return json.dumps(_keys(json.loads(content)))
        case ".lock":
            return json.dumps(_keys(YAML(typ="safe").load(content)))
        case ".csv" | ".jsonl" | ".md":
            first, *others = content.split(b"\n")
            return f"{len(others)} lines, {first!r}" if path.suffix == ".csv" else str(len(others))
        case ".html":
            return str(content.rstrip()[-7:])
        case ".gif" | ".png" | ".webp":
            with Image.open(path) as picture:
                picture.load()
                return str(picture.size)
    return "data" if content else "empty"


def _keys(value: Any) -> Any:
    """JSON or YAML without its values."""
    if isinstance(value, dict):
        return {str(key): _keys(part) for key, part in value.items()}
    return [_keys(part) for part in value] if isinstance(value, list) else None


def _rows(database: Path) -> Iterator[tuple[str, str]]:
    """A name and a value for each row, with names in place of the random ids of MLflow's runs."""
    if not database.exists():
        return
    with closing(sqlite3.connect(database)) as connection:
        names = dict(connection.execute("SELECT run_uuid, name FROM runs"))
        for kind, query in ROWS.items():
            for name, value in connection.execute(query):
                shown = RUN_ID.sub(lambda found: names.get(found[0], found[0]), str(value))
                yield f"{kind} in MLflow: {name}", shown


def _damaged_objects(clone: Path) -> Iterator[str]:
    """Objects in DVC's cache whose content is not that of their name, an MD5 checksum.

    DVC writes an object under another name first, and leaves such a file behind when it is killed.
    It never reads the file again.
    """
    for path in sorted((clone / OBJECTS).rglob("*")):
        name = f"{path.parent.name}{path.name}"
        checksum = name.removesuffix(".dir")
        if OBJECT.fullmatch(name) and hashlib.md5(path.read_bytes()).hexdigest() != checksum:
            yield f"damaged: {path.relative_to(clone)}"

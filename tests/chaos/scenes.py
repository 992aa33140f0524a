"""The commands that the campaign disturbs, and what a clone holds after them."""

import hashlib
import json
import os
import re
import shutil
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from faults import Environment, run

from clones import commit, make_origin

RUN = "bernoulli-vae-0"
TRACKED = ("mlflow.db", "mlartifacts")
DATABASE = "mlflow.db"
OF_OTHERS = ((".git",), (".dvc", "tmp"), (".dvc", "cache"), (DATABASE,))
"""Folders that only git and DVC read, and the database, whose rows are compared."""
OBJECTS = ".dvc/cache/files/md5"
OF_RUN = "JOIN runs r USING (run_uuid) WHERE lifecycle_stage = 'active'"
OF_VERSION = "JOIN runs r ON r.run_uuid = v.run_id"
ROWS = {
    "run": "SELECT name, status FROM runs WHERE lifecycle_stage = 'active'",
    "parameter": f"SELECT r.name || ' ' || key, value FROM params {OF_RUN}",
    "metric": f"SELECT r.name || ' ' || key, value || ' at ' || step FROM latest_metrics {OF_RUN}",
    "tag": f"SELECT r.name || ' ' || key, value FROM tags {OF_RUN}",
    "model version": f"SELECT v.name, r.name FROM model_versions v {OF_VERSION}",
    "alias": "SELECT a.name || ' ' || alias, r.name FROM registered_model_aliases a "
    f"JOIN model_versions v ON v.name = a.name AND v.version = a.version {OF_VERSION}",
}
"""Rows of MLflow's database: what each is about, and its value."""
RANDOM = re.compile(r"[0-9a-f-]{8,}|\d+")
"""Ids and times of day in the names of pictures."""
VARIES = "differs between two undisturbed runs"


@dataclass(frozen=True)
class Scene:
    """A command that is disturbed.

    Attributes:
        name: its name in the table.
        command: its words.
        removed: what a finished clone lacks at the start of the command.
        alone: whether it is only started under the lock of DVC, so never twice at once.
    """

    name: str
    command: tuple[str, ...]
    removed: tuple[str, ...]
    alone: bool = True


def stage(name: str, *removed: str, run: str = "") -> Scene:
    """A stage, started as DVC starts it."""
    command = ["python", f"stages/{name}.py", "params.yaml", *filter(None, [run])]
    return Scene(name, tuple(command), removed)


def of_run(*names: str) -> list[str]:
    return [f"results/tiny/runs/{RUN}/{name}" for name in names]


def of_profile(*names: str) -> list[str]:
    return [f"results/tiny/{name}" for name in names]


ALL = ("artifacts", "data/tiny", "results/tiny", "dvc.lock", ".dvc/cache", ".state", *TRACKED)
PAGES = ("scores.json", "comparison.json", "comparison.png", "leaderboard.csv", "leaderboard.md")
TRAINED = ("outcome.json", "timing.json", "history.csv")
SCENES = {
    scene.name: scene
    for scene in (
        stage("train", f"artifacts/tiny/{RUN}", *of_run(*TRAINED), run=RUN),
        stage("evaluate", *of_run("scores.json", "validation.json"), run=RUN),
        stage("publish", *of_profile("pictures", "pretrained")),
        stage("compare", *of_profile(*PAGES)),
        Scene("sync", ("ganvae", "sync"), TRACKED, alone=False),
        Scene("repro", ("ganvae", "repro"), ALL, alone=False),
    )
}


def environment(folder: Path) -> dict[str, str]:
    """The environment of all commands: this Python, the clone's code, no analytics."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    left = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW")}
    return left | {
        "PATH": path,
        "PYTHONPATH": "src",
        "PYTHONDONTWRITEBYTECODE": "1",
        "DVC_SITE_CACHE_DIR": str(folder / "site"),
        "DVC_NO_ANALYTICS": "1",
    }


def finished_clone(folder: Path, variables: Environment, seconds: float) -> Path:
    """A clone in which `ganvae repro` and `ganvae sync` have done everything, undisturbed.

    Raises:
        RuntimeError: one of them fails.
    """
    clone = make_origin(folder / "finished")
    for name in ("repro", "sync"):
        ended = run(["ganvae", name], clone, variables, seconds)
        if ended.returncode:
            raise RuntimeError(f"ganvae {name}: {ended.stdout}{ended.stderr}")
    commit(clone)
    return clone


def start_of(scene: Scene, finished: Path, clone: Path) -> None:
    """Write the clone in which a scene starts."""
    shutil.rmtree(clone, ignore_errors=True)
    shutil.copytree(finished, clone, symlinks=True)
    for name in scene.removed:
        path = clone / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def seen(clone: Path) -> dict[str, str]:
    """What a clone holds: a checksum per file, each folder, and the rows of MLflow's database.

    MLflow's pictures and their folders have random names, so only their contents are compared.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for path in _paths(clone):
        relative = path.relative_to(clone)
        content = "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
        if relative.parts[0] == "mlartifacts":
            if path.is_file():
                found[f"a picture in MLflow named {RANDOM.sub('#', path.name)}"].append(content)
        else:
            found[str(relative)].append(content)
    for name, value in _rows(clone / DATABASE):
        found[name].append(value)
    return {name: ", ".join(sorted(values)) for name, values in found.items()}


def expectation(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """What two undisturbed runs have in common. What differs, such as a time of day, must exist."""
    return {
        name: value if second[name] == value else VARIES
        for name, value in first.items()
        if name in second
    }


def differences(clone: Path, expected: Mapping[str, str], only: tuple[str, ...] = ()) -> list[str]:
    """One line per file or row that is missing, left over, different or damaged.

    Args:
        clone: the clone to compare.
        expected: what it must hold.
        only: the folders to compare, or nothing for all.
    """
    found = seen(clone)
    if only:
        found = {name: value for name, value in found.items() if name.startswith(only)}
        expected = {name: value for name, value in expected.items() if name.startswith(only)}
    missing = [f"missing: {name}" for name in expected if name not in found]
    left_over = [f"left over: {name}" for name in found if name not in expected]
    kept = [name for name in expected if name in found]
    changed = [f"differs: {name}" for name in kept if expected[name] not in (found[name], VARIES)]
    damaged = [name for name in kept if expected[name] == VARIES and _is_damaged(clone / name)]
    return [*missing, *left_over, *changed, *(f"damaged: {name}" for name in damaged)] + [
        f"damaged: {path}" for path in _damaged_objects(clone)
    ]


def _paths(clone: Path) -> Iterator[Path]:
    for path in sorted(clone.rglob("*")):
        parts = path.relative_to(clone).parts
        of_others = any(parts[: len(folder)] == folder for folder in OF_OTHERS)
        if not of_others and "__pycache__" not in parts:
            yield path


def _rows(database: Path) -> Iterator[tuple[str, str]]:
    """A name and a value for each row. A row that exists twice has the same name twice."""
    if not database.exists():
        return
    connection = sqlite3.connect(database)
    try:
        for kind, query in ROWS.items():
            for name, value in connection.execute(query):
                yield f"{kind} in MLflow: {name}", str(value)
    finally:
        connection.close()


def _is_damaged(path: Path) -> bool:
    """Whether a file whose content varies is empty, or no JSON although its name says so."""
    if not path.is_file():
        return False  # a row of the database
    content = path.read_bytes()
    if path.suffix == ".json":
        try:
            json.loads(content)
        except ValueError:
            return True
    return not content


def _damaged_objects(clone: Path) -> Iterator[str]:
    """Objects in DVC's cache whose content is not that of their name, an MD5 checksum."""
    for path in sorted((clone / OBJECTS).rglob("*")):
        name = f"{path.parent.name}{path.name}".removesuffix(".dir")
        if path.is_file() and hashlib.md5(path.read_bytes()).hexdigest() != name:
            yield str(path.relative_to(clone))

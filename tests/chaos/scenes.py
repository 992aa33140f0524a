"""The commands that the campaign disturbs, and the clones in which they start."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from contents import DATABASE
from faults import Environment, run

from clones import commit, make_origin

RUN = "bernoulli-vae-0"
TRACKED = (DATABASE, "mlartifacts")


@dataclass(frozen=True)
class Scene:
    """A command that is disturbed.

    Attributes:
        name: its name in the table.
        command: its words.
        removed: what a finished clone lacks at the start of the command.
        replaced: folders of a finished clone that hold an old file at the start of the command.
        working: a file that exists while the command works. Empty if DVC starts the command under
            its lock, so never twice at once.
        then: commands that follow the command when it runs again. The last one must find
            everything up to date.
    """

    name: str
    command: tuple[str, ...]
    removed: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    working: str = ""
    then: tuple[tuple[str, ...], ...] = ()


def stage(name: str, *arguments: str) -> tuple[str, ...]:
    """The command of a stage, as DVC starts it."""
    return ("python", f"stages/{name}.py", "params.yaml", *arguments)


def of_run(*names: str) -> tuple[str, ...]:
    return tuple(f"results/tiny/runs/{RUN}/{name}" for name in names)


def of_profile(*names: str) -> tuple[str, ...]:
    return tuple(f"results/tiny/{name}" for name in names)


ALL = ("artifacts", "data/tiny", "results/tiny", "dvc.lock", ".dvc/cache", ".state", *TRACKED)
PAGES = ("scores.json", "comparison.json", "comparison.png", "leaderboard.csv", "leaderboard.md")
TRAINED = (f"artifacts/tiny/{RUN}", *of_run("outcome.json", "timing.json", "history.csv"))
PUBLISHED = of_profile("pictures", "pretrained")
SYNC, REPRO = ("ganvae", "sync"), ("ganvae", "repro")
SCENES = (
    Scene("train", stage("train", RUN), TRAINED),
    Scene("evaluate", stage("evaluate", RUN), of_run("scores.json", "validation.json")),
    Scene("publish", stage("publish"), PUBLISHED),
    Scene("publish again", stage("publish"), replaced=PUBLISHED),
    Scene("compare", stage("compare"), of_profile(*PAGES)),
    Scene("sync", SYNC, TRACKED, working=f"{DATABASE}.new"),
    Scene("repro", REPRO, ALL, working=".state/repro.json", then=(SYNC, REPRO)),
)


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


def finished_clone(folder: Path, variables: Environment) -> Path:
    """A clone in which `ganvae repro` and `ganvae sync` have done everything, undisturbed.

    Raises:
        RuntimeError: one of them fails.
    """
    clone = make_origin(folder / "finished")
    for command in (REPRO, SYNC):
        ended = run(command, clone, variables)
        if ended.returncode:
            raise RuntimeError(f"{' '.join(command)}: {ended.stdout}{ended.stderr}")
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
    for name in scene.replaced:
        (clone / name / "old").touch()

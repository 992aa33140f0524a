"""Build the wheel of this clone, and install it into an environment of its own."""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
SOURCES = ("behaviour", "judges", "profiles", "src", "stages", "sweeps")
FILES = (
    "LICENSE",
    "README.md",
    "dvc.yaml",
    "params.yaml",
    "promoted.yaml",
    "pyproject.toml",
    "setup.py",
)
LEFT_OUT = ("__pycache__", "*.egg-info", "dvc.lock")
KEPT = ("LANG", "OMP_NUM_THREADS", "PATH")
"""The environment variables that an installed command gets from this process."""


def build_wheel(folder: Path) -> Path:
    """Build the wheel as for a package index: from an unpacked source distribution.

    The sources are copied first, because a build writes files beside them.
    """
    clone = folder / "clone"
    for name in SOURCES:
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for path in ROOT.glob("results/*/pretrained"):
        target = clone / path.relative_to(ROOT)
        shutil.copytree(path, target)
        shutil.copy(path.with_name("scores.json"), target.parent)
    for name in FILES:
        shutil.copy(ROOT / name, clone)
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(clone))
    (wheel,) = folder.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Installed:
    """An environment with an installed wheel. ``cache`` is the folder for downloaded data sets."""

    python: Path
    cache: Path

    def ganvae(self, *arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
        """Run the installed command line."""
        return self.run(str(self.python.with_name("ganvae")), *arguments, cwd=cwd)

    def run(self, *command: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
        """Run a command in the activated environment, without the settings of this process."""
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment["PATH"] = f"{self.python.parent}:{environment['PATH']}"
        environment["XDG_CACHE_HOME"] = str(self.cache.parent)
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def install(wheel: Path, folder: Path, *extras: str) -> Installed:
    """Install a wheel, and all packages that it asks for, into a new environment in ``folder``.

    No network is needed: the other packages are links to those of the running environment. Packages
    that the wheel asks for only in other extras than ``extras`` are missing.
    """
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv/bin/python"
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    for needed in _with_needs(requirements(wheel), extras):
        for name in {file.parts[0] for file in needed.files or ()} - {"..", "__pycache__"}:
            if not (packages / name).exists():
                (packages / name).symlink_to(str(needed.locate_file(name)))
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    _run(*pip, "install", "--no-deps", "--no-index", str(wheel))
    return Installed(python, folder / "cache/ganvae")


def requirements(wheel: Path) -> list[Requirement]:
    """The packages that a wheel asks for, also those of its extras."""
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    field = "Requires-Dist: "
    return [Requirement(line.removeprefix(field)) for line in lines if line.startswith(field)]


def always(requirement: Requirement, extra: str = "") -> bool:
    """Return whether a requirement holds on this machine, without any extra or with one."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _with_needs(asked: Iterable[Requirement], extras: Iterable[str]) -> Iterable[Distribution]:
    """The installed packages that are asked for with the extras, and all packages they need."""
    found: dict[str, Distribution] = {}
    left = [each for each in asked if any(always(each, e) for e in ("", *extras))]
    while left:
        requirement = left.pop()
        try:
            package = distribution(requirement.name)
        except PackageNotFoundError:
            continue  # such as the libraries of a GPU, in an environment without a GPU
        if package.name not in found:
            found[package.name] = package
            needs = list(map(Requirement, package.requires or ()))
            left += [
                each for each in needs if any(always(each, e) for e in ("", *requirement.extras))
            ]
    return found.values()


def _run(*command: str) -> None:
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0, f"{command}:\n{process.stdout}{process.stderr}"

"""The build step that copies the repository's read-only files into the package of a wheel.

The copied files are the judges, the parameters and scores of the published profiles, the weights of
their finalists, and what a user's project needs: stages, tokens, search spaces and dvc.yaml. Below
the folder ``ganvae/assets``, they keep their paths (`ganvae.core.assets`). So git has each file
only once. An editable installation reads the files from the clone.
"""

import logging
import shutil
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML
from setuptools import Command, setup
from setuptools.command.build import build

NOT_PUBLISHED = ("smoke", "full")
"""Profiles without published results, as in `ganvae.config.profiles`."""
TARGET = Path("ganvae/assets")
CODE = Path("src/ganvae")
LARGEST = 15_900_000
"""The limit of all files in bytes, compressed as in a wheel: the copied ones and the code.

The largest wheel is 16 MB. The rest is for the archive's own tables.
"""


@cache
def assets() -> list[Path]:
    """The files to copy, relative to the root of the repository.

    If the weights of a finalist would exceed the limit, they are left out. The laptop profile comes
    first, and the other profiles follow in the order of their names. A new profile may have no
    results yet.
    """
    chosen = sorted([*Path("judges").glob("*.safetensors"), *Path("judges").glob("*.json")])
    chosen += [Path("dvc.yaml"), *sorted(Path("stages").glob("*.py"))]
    chosen += sorted(Path("sweeps").glob("*.yaml"))
    chosen += sorted(Path("behaviour/tokens").rglob("*.json"))
    finalists = []
    for params, results, names in published():
        chosen += existing(params, params.with_name("promoted.yaml"), results / "scores.json")
        finalists += existing(*(results / f"pretrained/{name}.safetensors" for name in names))
    code = (path for path in CODE.rglob("*") if path.is_file() and path.suffix != ".pyc")
    size = sum(map(compressed, [*chosen, *code]))
    for weights in finalists:
        if size + compressed(weights) > LARGEST:
            logging.warning("%s is left out, because the wheel would become too large", weights)
            continue
        size += compressed(weights)
        chosen.append(weights)
    return chosen


def published() -> Iterator[tuple[Path, Path, list[str]]]:
    """Yield each published profile: its params.yaml, its results and its finalists."""
    for params in (Path("params.yaml"), *sorted(Path("profiles").glob("*/params.yaml"))):
        if params.parent.name not in NOT_PUBLISHED:
            values = YAML(typ="safe").load(params)
            yield params, Path("results", values["profile"]), values.get("finalists", [])


def existing(*paths: Path) -> list[Path]:
    return [path for path in paths if path.exists()]


def compressed(path: Path) -> int:
    """The size of a file in bytes, compressed as in a wheel."""
    return len(zlib.compress(path.read_bytes()))


class BuildAssets(Command):
    """Copy the read-only files into the built package. setuptools calls these methods."""

    description = "copy judges, parameters and weights into the package"
    user_options = []  # noqa: RUF012  setuptools expects a list

    def initialize_options(self) -> None:
        self.build_lib: str | None = None
        self.editable_mode = False

    def finalize_options(self) -> None:
        self.set_undefined_options("build_py", ("build_lib", "build_lib"))

    def run(self) -> None:
        if self.editable_mode:
            return
        for target, source in self.get_output_mapping().items():
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)

    def get_source_files(self) -> list[str]:
        """The files that a source distribution needs."""
        return list(map(str, assets()))

    def get_outputs(self) -> list[str]:
        return list(self.get_output_mapping())

    def get_output_mapping(self) -> dict[str, str]:
        """A mapping from each copy to its source."""
        assert self.build_lib is not None
        return {str(self.build_lib / TARGET / source): str(source) for source in assets()}


class Build(build):
    """The build of the package, with the read-only files."""

    sub_commands = [*build.sub_commands, ("build_assets", None)]  # noqa: RUF012


setup(cmdclass={"build": Build, "build_assets": BuildAssets})

"""Test that packages import in one direction, and that heavy tools stay in their packages."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

PACKAGE = ROOT / "src/ganvae"
ROOMS_OF = {
    "mlflow": {"tracking"},
    "dvc": {"pipeline"},
    "optuna": {"sweeps"},
    "rich": {"pipeline"},
    "typer": {"cli"},
    "jinja2": {"report"},
    "playwright": set(),
    "sklearn": {"data", "judge", "models"},
    "pooch": {"data"},
    "filelock": {"core", "pipeline"},
}
ORDER = [
    "core", "config", "data", "judge", "models", "training", "metrics", "scores", "evaluation",
    "pictures", "report", "pipeline", "tracking", "sweeps", "matches", "api", "cli",
]  # fmt: skip


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """The full names of all modules that a file imports, at its top or inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


FILES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.parent != PACKAGE or path.stem != "__init__"
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_tool_is_imported_only_in_its_own_package(path: Path) -> None:
    for name in imports(path):
        rooms = ROOMS_OF.get(name.split(".")[0])
        assert rooms is None or room(path) in rooms, f"{path} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_package_imports_only_packages_before_it(path: Path) -> None:
    here = ORDER.index(room(path))
    for name in imports(path):
        if name.startswith("ganvae."):
            other = name.split(".")[1]
            ahead = ORDER.index(other) > here
            assert not ahead, f"{path} imports {name}"


def test_training_and_evaluation_import_no_tools_of_the_pipeline() -> None:
    script = """
import sys
import ganvae.training.runs, ganvae.evaluation.runs, ganvae.scores.comparison
import ganvae.report.figures, ganvae.report.tables
from ganvae.models.registry import system_class, system_names
for name in system_names():
    system_class(name)
tools = ("mlflow", "dvc", "optuna", "sklearn", "pooch", "typer")
print([name for name in tools if name in sys.modules])
"""
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == "[]"


def test_no_module_is_longer_than_300_lines() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert [str(path) for path, length in lines.items() if length > 300] == []


def test_stages_are_short() -> None:
    for path in (ROOT / "stages").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 65, f"{path}: move logic to src/ganvae"

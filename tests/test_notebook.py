"""The notebook runs from its first cell to its last, and is stored without outputs."""

import ast
import json
from typing import Any

import matplotlib
import pytest

from conftest import ROOT
from ganvae.report.notebook import Compared, Scored

NOTEBOOK = ROOT / "docs/notebook.ipynb"
MOST_BYTES = 8000
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
CODE = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]


def run(code: str, names: dict[str, Any]) -> Any:
    """Run a cell as a notebook does, and return the value of its last expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    if isinstance(last, ast.Expr):
        return eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    return None


def test_the_notebook_is_small_and_has_no_outputs() -> None:
    assert NOTEBOOK.stat().st_size <= MOST_BYTES
    assert all(cell["outputs"] == [] for cell in CELLS if cell["cell_type"] == "code")


@pytest.mark.slow
def test_the_cells_run_in_order() -> None:
    names: dict[str, Any] = {}
    with matplotlib.rc_context({"backend": "agg"}):
        shown = [run(code, names) for code in CODE]
    assert shown[0][0] == (300, 1, 28, 28)
    assert isinstance(shown[2], Scored)
    assert shown[2].fid_judge > 0
    gan, vae, flags = shown[3]
    assert gan > 0 and vae > 0
    assert flags[0].startswith("300 samples were scored, but the protocol needs 10,000")
    assert isinstance(shown[4], Compared)
    text = str(shown[4])
    assert "not ranked: my-gan, seed 0: 300 samples" in text
    assert "not ranked: my-vae, seed 0: 300 samples" in text
    assert len(shown[4].comparison.rows) > 2

"""Find and change code by the name of its function, in any layout and any file."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """A function or method of a file. Its lines are ``first`` to ``last``, counted from 0."""

    path: Path
    node: ast.FunctionDef
    first: int
    last: int


def find(root: Path, at: str) -> Place:
    """The function with this name: ``name``, ``Class.name``, or ``module:name``.

    Raises:
        ValueError: no function has this name, or several have it.
    """
    module, _, name = at.rpartition(":")
    files = sorted((root / "src/ganvae").rglob(f"{module or '*'}.py"))
    files += sorted((root / "stages").glob(f"{module}.py")) if module else []
    found = [
        Place(path, node, min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1,
              node.end_lineno or 0)
        for path in files
        for qualified, node in _functions_of(path.read_text())
        if qualified == name
    ]  # fmt: skip
    if len(found) != 1:
        raise ValueError(f"expected one function {at}, found {len(found)}")
    return found[0]


@cache
def _functions_of(text: str) -> list[tuple[str, ast.FunctionDef]]:
    return _functions(ast.parse(text))


def _functions(tree: ast.AST, prefix: str = "") -> list[tuple[str, ast.FunctionDef]]:
    found = []
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef):
            found.append((f"{prefix}{child.name}", child))
        elif isinstance(child, ast.ClassDef):
            found += _functions(child, f"{prefix}{child.name}.")
    return found


def changed(place: Place, old: str, new: str) -> str:
    """The text of the file, with ``old`` replaced in the function's text from `ast.unparse`.

    If ``old`` has several lines, they have the same relative indentation as in the function.

    Raises:
        ValueError: the function does not contain this text exactly once.
    """
    first, *others = map(re.escape, old.splitlines())
    start = r"(?m)^(?P<indent> *)" if others else r"(?P<indent>)"
    pattern = re.compile(start + first + "".join(rf"\n(?P=indent){line}" for line in others))
    text = ast.unparse(place.node)
    if (count := len(pattern.findall(text))) != 1:
        raise ValueError(f"expected {old!r} once in {place.node.name}, found it {count} times")

    def put_in(match: re.Match[str]) -> str:
        return "\n".join(match["indent"] + line for line in new.splitlines())

    function = pattern.sub(put_in, text)
    lines = place.path.read_text().splitlines(keepends=True)
    indent = " " * place.node.col_offset
    lines[place.first : place.last] = [f"{indent}{line}\n" for line in function.splitlines()]
    return "".join(lines)

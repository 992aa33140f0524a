"""Phrases of the old house dialect do not come back.

`GONE` phrases are in neither pages nor code. `GONE_FROM_PAGES` phrases are still in the code: move
one to `GONE` when the code has lost it.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT
from pages import FENCE, PAGES, name

CODE = sorted((*ROOT.glob("src/**/*.py"), *ROOT.glob("stages/*.py")))
TEMPLATES = sorted(path for path in ROOT.glob("src/**/templates/*") if path.is_file())

GONE = (
    # "one line a run" for "one line per run"
    r"\b(?:one|an?|two|\d+) (?:\w+ )?(?:value|line|folder|run|row|score|file|image|latent|picture"
    r"|sample|dot|core|thread|number|stage|trial|feature|seed)s? an? (?:seed|run|model|core|study"
    r"|class|trial|image|step|batch|profile|variant|person|digit|pass)\b",
    r"\bwhat became of\b",
    r"\bnone (?:is )?shown\b",
    r"\bof which (?:it|they) (?:is|are)\b",
    r"\bthat (?:it is|they are) of\b",
    r"\bwhich (?:it is|they are) of\b",
    r"\bif there is one\b",
    r"\bwhat is there\b",
    r"\bwhat there is\b",
    r"\bthose that it\b",
    r"\bof those that\b",
    r"\bwhoever\b",
    r"\bthat of its\b",
    r"\bwhat (?:it|they) (?:is|are|was|were) (?:made|taken|measured|drawn) (?:of|from|by|with)\b",
    r"\bNever (?:is|are|does)\b",
    r"\bif need be\b",
    r"\bunasked\b",
    r"\bby themselves\b",
    r"\bby itself\b",
    r"\btaken up again\b",
    r"\bcomes? to (?:the|an|its|their) end\b",
    r"\bwhose it is\b",
    r"\bto be had\b",
    r"\bthe time there is\b",
    r"\beach by itself\b",
    r"\bit is (?:one|none) of\b",
    r"\bthan there\b",
    r"\bone of those\b",
)

GONE_FROM_PAGES = (
    r"\bthere is none\b",
    r"\bthat there is\b",
    r"\bbut for\b",
    r"\bsome of them\b",
)


def spoken(path: Path) -> Iterator[tuple[int, str]]:
    """Each string literal and comment of a module, with its line; whitespace is one space."""
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, " ".join(node.value.split())
    comments: list[str] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments.append(token.string.lstrip("# "))
        elif token.type not in (tokenize.NL, tokenize.NEWLINE) and comments:
            yield token.start[0] - 1, " ".join(comments)
            comments = []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_has_a_phrase_of_the_dialect(page: Path) -> None:
    prose = " ".join(FENCE.sub("", page.read_text(encoding="utf-8")).split())
    for phrase in (*GONE, *GONE_FROM_PAGES):
        found = re.search(phrase, prose, flags=re.IGNORECASE)
        assert not found, f"{page.name}: {prose[max(0, found.start() - 40) : found.end() + 40]!r}"


def test_no_code_has_a_phrase_that_is_gone() -> None:
    dialect = re.compile("|".join(GONE), flags=re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{line}: {match[0]!r}"
        for path in CODE
        for line, text in spoken(path)
        for match in dialect.finditer(text)
    ]
    found += [
        f"{path.relative_to(ROOT)}: {match[0]!r}"
        for path in TEMPLATES
        for match in dialect.finditer(" ".join(path.read_text(encoding="utf-8").split()))
    ]
    assert not found, "\n".join(found)


def test_a_phrase_is_found_across_lines_in_docstrings_and_comments(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('"""What\nbecame\nof it."""\n# one\n# two\nx = f"{1} three"\n')
    texts = [text for _, text in spoken(module)]
    assert "What became of it." in texts
    assert "one two" in texts
    assert any("three" in text for text in texts)

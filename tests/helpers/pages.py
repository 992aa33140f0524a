"""The pages for users, taken apart: commands, links, anchors, tables and figures."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

NUMBER = r"\d[\d,]*(?:\.\d+)?"
SIGNED = rf"[−+]?{NUMBER}"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def name(page: Path) -> str:
    """A page's name in test ids."""
    return page.name


def without_code(text: str) -> str:
    """The text without fenced blocks and code spans."""
    return SPAN.sub("CODE", FENCE.sub("", text))


def commands(text: str) -> Iterator[list[str]]:
    """Each `ganvae` and `make` command of the code blocks and code spans, in words."""
    scripts = [code for language, code in FENCE.findall(text) if language == "bash"]
    lines = "\n".join(scripts).replace("\\\n", " ").splitlines()
    for code in (*lines, *SPAN.findall(FENCE.sub("", text))):
        for part in re.split(r"&&|;|\||\s&(?:\s|$)", re.sub(r"\s#.*", "", code)):
            if found := re.search(r"(?:^|\s)(?P<command>(?:ganvae|make)(?:\s.*)?)$", part):
                yield shlex.split(found["command"])


def links(text: str) -> list[str]:
    """The targets of all links and pictures that lead to files or anchors of the repository."""
    targets = [target for _, target in LINK.findall(FENCE.sub("", text))]
    return [target for target in targets if not re.match(r"https?:", target)]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings."""
    seen: dict[str, int] = {}
    for title in re.findall(r"^#{1,6} (.+)$", FENCE.sub("", text), flags=re.MULTILINE):
        plain = LINK.sub(r"\1", title).strip().lower()
        anchor = re.sub(r"[^\w -]", "", plain).replace(" ", "-")
        seen[anchor] = seen.get(anchor, -1) + 1
        if seen[anchor]:
            seen[f"{anchor}-{seen[anchor]}"] = 0
    return set(seen)


def sections(text: str) -> list[str]:
    """The parts of a page between its headings of the second level."""
    return re.split(r"^## ", text, flags=re.MULTILINE)


def tables(text: str) -> Iterator[list[list[str]]]:
    """The cells of each Markdown table, the head first, without the rule."""
    for match in re.finditer(r"(?:^\|.*\n)+", FENCE.sub("", text) + "\n", flags=re.MULTILINE):
        rows = [
            [cell.strip() for cell in line.strip("|").split(" | ")]
            for line in match[0].splitlines()
        ]
        yield [rows[0], *rows[2:]]


def sentences(text: str) -> Iterator[str]:
    """The sentences of the prose, without tables, code and link targets; each on one line."""
    prose = re.sub(r"^\|.*$", "\n", LINK.sub(r"\1", without_code(text)), flags=re.MULTILINE)
    for paragraph in re.split(r"\n\s*\n|^\s*(?:-|\d+\.) ", prose, flags=re.MULTILINE):
        yield from re.split(r"(?<=[.:?!])\s+(?=[A-Z*\[])", " ".join(paragraph.split()))


def decimals(number: str) -> int:
    """How many decimals a printed number has."""
    return len(number.partition(".")[2])


def prints_as(printed: str, value: float) -> bool:
    """Whether a value, rounded to the decimals of a printed number, is that number."""
    plain = printed.lstrip("+").replace("−", "-").replace(",", "")
    return f"{value:.{decimals(plain)}f}" == plain

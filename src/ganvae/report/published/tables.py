"""Tables with scores beside numbers from papers, and how they are printed."""

from collections.abc import Sequence
from dataclasses import dataclass

from ganvae.report.differences import markdown_line

HEADING = "Beside published numbers"


@dataclass(frozen=True)
class PublishedLine:
    """One line of a table that shows published numbers.

    Attributes:
        label: the name of the published model or of the variant.
        source: the paper's arXiv number, or a repository's owner/name on GitHub; "" for a variant
            of this project.
        cells: the cells after the label.
    """

    label: str
    source: str
    cells: tuple[str, ...]

    @property
    def link(self) -> str:
        """The address of the source."""
        host = "https://github.com" if "/" in self.source else "https://arxiv.org/abs"
        return f"{host}/{self.source}"


@dataclass(frozen=True)
class PublishedTable:
    """A table with numbers from papers and scores of this project.

    Attributes:
        heads: the column titles of the cells.
        remarks: sentences on how the numbers differ, with code in `backticks`.
    """

    title: str
    heads: tuple[str, ...]
    lines: tuple[PublishedLine, ...]
    remarks: tuple[str, ...]


def published_markdown(tables: Sequence[PublishedTable]) -> list[str]:
    """The leaderboard's section with published numbers, as Markdown lines; empty without tables."""
    lines = [f"## {HEADING}", ""] if tables else []
    for table in tables:
        heads = ["model", *table.heads]
        lines += [f"**{table.title}**", "", markdown_line(heads)]
        lines.append(markdown_line(["---", *["---:"] * len(table.heads)]))
        lines += [markdown_line([_cited(line), *line.cells]) for line in table.lines]
        lines += ["", *(f"- {remark}" for remark in table.remarks), ""]
    return lines


def _cited(line: PublishedLine) -> str:
    return f"{line.label} ([{line.source}]({line.link}))" if line.source else line.label

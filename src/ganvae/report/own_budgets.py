"""Compare the systems after a short training with the same systems at their own budgets.

The two profiles use the same images, judges and protocol, so their FIDs can be compared.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from ganvae.report.across import places
from ganvae.report.differences import markdown_line
from ganvae.report.numbers import listed, significant
from ganvae.report.scores import bracketed, cell, printed
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import Row
from ganvae.scores.intervals import Estimate, effect

SECONDS = "train_seconds"
INTRODUCTION = (
    "The profile `full` trains each system with the network, the batch size and the schedule of "
    "its source (*own*). The profile `laptop` trains each system for about a minute, most of them "
    "with smaller networks and batches (*short*). Images, judges and protocol are the same."
)
HEADS = (
    "system", "family", "short: place", "FID ↓", "training, s", "own: place", "FID ↓",
    "training, s", "ratio own / short [95 % CI]",
)  # fmt: skip


class Trained(NamedTuple):
    """One system in two leaderboards: after a short training, and at its own budget."""

    short: Row
    own: Row

    @property
    def name(self) -> str:
        return f"`{self.own.variant}`"

    @property
    def fids(self) -> tuple[Estimate, Estimate]:
        return self.short.scores[PRIMARY], self.own.scores[PRIMARY]


def in_both(short: Sequence[Row], own: Sequence[Row], systems: Sequence[str]) -> list[Trained]:
    """The systems that have an FID in both leaderboards, the best at its own budget first.

    Args:
        systems: the names of the variants to look for.
    """
    before, after = (
        {row.variant: row for row in rows if PRIMARY in row.scores and row.variant in systems}
        for rows in (short, own)
    )
    common = [name for name in systems if name in before and name in after]
    both = [Trained(before[name], after[name]) for name in common]
    return sorted(both, key=lambda system: system.fids[1].mean)


def own_budgets_section(systems: Sequence[Trained]) -> list[str]:
    """The section's paragraphs in Markdown: a heading, an introduction, the table and `owed`."""
    heading = "### A short training, and the own budget"
    return [heading, INTRODUCTION, "\n".join(budgets_markdown(systems)), owed(systems)]


def budgets_markdown(systems: Sequence[Trained]) -> list[str]:
    """The lines of a table with both FIDs of each system."""
    placed = places({system.name: system.fids for system in systems})
    body = [
        [
            system.name,
            system.own.family,
            *_cells(system.short, placed[system.name][0]),
            *_cells(system.own, placed[system.name][1]),
            _ratio(*reversed(system.fids)),
        ]
        for system in systems
    ]
    rule = ["---", "---", *["---:"] * (len(HEADS) - 2)]
    return [markdown_line(line) for line in (HEADS, rule, *body)]


def _cells(row: Row, placed: int | None) -> tuple[str, str, str]:
    seconds = row.scores.get(SECONDS)
    return (
        str(placed),
        " ".join(cell(row, PRIMARY)).rstrip(),
        printed(SECONDS, seconds.mean) if seconds else "",
    )


def _ratio(first: Estimate, second: Estimate) -> str:
    found = effect(first.values, second.values, "log")
    if found.size is None:
        return ""
    return f"{significant(found.size)} {bracketed(found.low, found.high, significant)}".rstrip()


def owed(systems: Sequence[Trained]) -> str:
    """Sentences on what the order of the systems owes to the budget.

    The order of two systems is clear if the 95 % interval of the ratio of their FIDs (Welch, on a
    log scale) does not include 1.
    """
    pairs = list(combinations(systems, 2))
    clear = [pair for pair in pairs if all(_ahead(pair, side) is not None for side in (0, 1))]
    turned = [pair for pair in clear if _ahead(pair, 0) != _ahead(pair, 1)]
    text = (
        f"The table has {len(systems)} systems, so {len(pairs)} pairs. The order of a pair is "
        "called clear if the interval of the ratio of the two FIDs does not include 1. These "
        "intervals are not corrected for the number of pairs. Pairs with a clear order at both "
        f"budgets: {len(clear)}. Pairs among them whose order changes with the budget: "
        f"{len(turned)}"
    )
    return f"{text} ({listed([_turned(pair) for pair in turned])})." if turned else f"{text}."


def _ahead(pair: tuple[Trained, Trained], side: int) -> bool | None:
    """Whether the first system of a pair clearly has the lower FID. None without a clear order."""
    first, second = (system.fids[side].values for system in pair)
    found = effect(first, second, "log")
    if found.low is None or found.high is None or found.low <= 1 <= found.high:
        return None
    return found.high < 1


def _turned(pair: tuple[Trained, Trained]) -> str:
    ahead, behind = pair if _ahead(pair, 1) else reversed(pair)
    return f"{ahead.name} overtakes {behind.name}"

"""How models and scores are called and written: in Markdown, in plain text and in HTML alike."""

from collections.abc import Iterable, Sequence

from ganvae.report.numbers import fixed
from ganvae.scores.catalogue import SCORES, better
from ganvae.scores.comparison import Row
from ganvae.scores.statistics import Estimate

TIMES = " \N{MULTIPLICATION SIGN} "
ARROWS = {"lower": "↓", "higher": "↑", None: ""}
REFERENCES = {"floor": "floor (real training images)", "ceiling": "ceiling (pixel-wise Gaussian)"}
"""What the baselines are called in full."""

NOT_MEASURED = "not measured"
"""Stands where records are older than a score. An empty cell: the score does not apply."""


def measured(rows: Sequence[Row], scores: Iterable[str]) -> list[str]:
    """Those of the scores that any row has: what is never measured gets no column."""
    return [name for name in scores if any(name in row.scores for row in rows)]


def heading(score: str) -> str:
    """A score's column heading: title, unit, and which way is better."""
    return f"{_titled(score, SCORES[score].title)} {arrow(score)}".rstrip()


def title(score: str) -> str:
    """A heading without the arrow and without "(judge)", where nothing else could be meant."""
    return _titled(score, name(score))


def name(score: str) -> str:
    """What a sentence calls a score."""
    return SCORES[score].title.replace(" (judge)", "")


def _titled(score: str, title: str) -> str:
    entry = SCORES[score]
    scaled = f"{TIMES}{entry.factor}" if entry.factor != 1 else ""
    return ", ".join(filter(None, [title + scaled, entry.unit]))


def arrow(score: str) -> str:
    """Which way is better, if one is."""
    return ARROWS[better(score)]


def printed(score: str, value: float) -> str:
    """A value or a margin, as all tables print it."""
    entry = SCORES[score]
    return fixed(entry.factor * value, entry.decimals)


def signed(score: str, value: float) -> str:
    """A difference, with its sign."""
    entry = SCORES[score]
    return fixed(entry.factor * value, entry.decimals, plus="+")


def interval(score: str, low: float | None, high: float | None) -> str:
    """`−1.20 to +0.30`, of a difference; empty where there is none."""
    if low is None or high is None:
        return ""
    return f"{signed(score, low)} to {signed(score, high)}"


def estimated(score: str, estimate: Estimate) -> tuple[str, str]:
    """A mean, and `± 1.06`: half of its interval, empty of one seed or where all are the same."""
    margin = f"± {printed(score, estimate.margin)}" if estimate.margin else ""
    return printed(score, estimate.mean), margin


def cell(row: Row, score: str, none: str = "") -> tuple[str, str]:
    """What a table says of one score of one model: the mean and the margin (`estimated`).

    Args:
        none: what stands there if the score does not apply to the model.
    """
    if score in row.scores:
        return estimated(score, row.scores[score])
    return (NOT_MEASURED if score in row.unmeasured else none), ""


def failures(row: Row) -> str:
    """`1 collapsed, 2 diverged`: what became of the runs that did not complete."""
    counts = ((row.collapsed, "collapsed"), (row.diverged, "diverged"))
    return ", ".join(f"{count} {status}" for count, status in counts if count)

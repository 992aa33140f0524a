"""Names and values of scores as text, for Markdown, plain text and HTML alike."""

from collections.abc import Iterable, Sequence

from ganvae.report.numbers import fixed
from ganvae.scores.catalogue import SCORES, better
from ganvae.scores.comparison import Row
from ganvae.scores.statistics import Estimate

TIMES = " \N{MULTIPLICATION SIGN} "
ARROWS = {"lower": "↓", "higher": "↑", None: ""}
REFERENCES = {"floor": "floor (real training images)", "ceiling": "ceiling (pixel-wise Gaussian)"}
"""The full names of the baselines."""

NOT_MEASURED = "not measured"
"""The text of a table cell whose record is older than the score.

An empty cell means that the score does not apply to the variant.
"""


def measured(rows: Sequence[Row], scores: Iterable[str]) -> list[str]:
    """The scores that at least one row has. Tables have no columns for the other scores."""
    return [name for name in scores if any(name in row.scores for row in rows)]


def heading(score: str) -> str:
    """A score's column heading: title, unit and arrow."""
    return f"{_titled(score, SCORES[score].title)} {arrow(score)}".rstrip()


def title(score: str) -> str:
    """A score's column heading without the arrow and without "(judge)"."""
    return _titled(score, name(score))


def name(score: str) -> str:
    """The name of a score in a sentence."""
    return SCORES[score].title.replace(" (judge)", "")


def _titled(score: str, title: str) -> str:
    entry = SCORES[score]
    scaled = f"{TIMES}{entry.factor}" if entry.factor != 1 else ""
    return ", ".join(filter(None, [title + scaled, entry.unit]))


def arrow(score: str) -> str:
    """An arrow in the better direction of a score; "" if no direction is better."""
    return ARROWS[better(score)]


def printed(score: str, value: float) -> str:
    """A score's value or margin as text, with the score's decimals and factor."""
    entry = SCORES[score]
    return fixed(entry.factor * value, entry.decimals)


def signed(score: str, value: float) -> str:
    """A difference in a score as text with a sign, with the score's decimals and factor."""
    entry = SCORES[score]
    return fixed(entry.factor * value, entry.decimals, plus="+")


def interval(score: str, low: float | None, high: float | None) -> str:
    """The interval of a difference as text: `−1.20 to +0.30`; "" if a bound is None."""
    if low is None or high is None:
        return ""
    return f"{signed(score, low)} to {signed(score, high)}"


def estimated(score: str, estimate: Estimate) -> tuple[str, str]:
    """Return two texts: the mean, and half the width of its confidence interval, such as `± 1.06`.

    The second text is empty for a single seed, or if all seeds have the same score.
    """
    margin = f"± {printed(score, estimate.margin)}" if estimate.margin else ""
    return printed(score, estimate.mean), margin


def cell(row: Row, score: str, none: str = "") -> tuple[str, str]:
    """A table cell for one score of one variant: the mean and the margin, as in `estimated`.

    Args:
        none: the text if the score does not apply to the variant.
    """
    if score in row.scores:
        return estimated(score, row.scores[score])
    return (NOT_MEASURED if score in row.unmeasured else none), ""


def failures(row: Row) -> str:
    """The number of training runs that did not complete, by status: `1 collapsed, 2 diverged`."""
    counts = ((row.collapsed, "collapsed"), (row.diverged, "diverged"))
    return ", ".join(f"{count} {status}" for count, status in counts if count)

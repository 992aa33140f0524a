"""Names and values of scores as text, for Markdown, plain text and HTML alike."""

from collections.abc import Callable, Iterable, Sequence

from ganvae.report.numbers import fixed, listed
from ganvae.scores.catalogue import SCORES, TABLED, better
from ganvae.scores.comparison import Row
from ganvae.scores.intervals import Estimate

TIMES = " \N{MULTIPLICATION SIGN} "
ARROWS = {"lower": "↓", "higher": "↑", None: ""}
REFERENCES = {"floor": "floor (real training images)", "ceiling": "ceiling (pixel-wise Gaussian)"}
"""The full names of the baselines."""

FEW_SEEDS = 5
"""With at most this many seeds, pages also show the values of the seeds."""

NOT_MEASURED = "not measured"
"""The text of a table cell whose record is older than the score.

An empty cell means that the score does not apply to the variant.
"""


def measured(rows: Sequence[Row], scores: Iterable[str]) -> list[str]:
    """The scores that at least one row has. Tables have no columns for the other scores."""
    return [name for name in scores if any(name in row.scores for row in rows)]


def geometric_means(rows: Sequence[Row]) -> str:
    """A sentence that names the measured scores on a log scale; "" without such scores."""
    names = [name(each) for each in measured(rows, TABLED) if SCORES[each].scale == "log"]
    if not names:
        return ""
    return f"Means of {listed(names)} are geometric, with intervals on a log scale."


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
    scaled = f"{TIMES}{entry.factor}" if entry.factor != 1 and entry.unit != "%" else ""
    return ", ".join(filter(None, [title + scaled, entry.unit]))


def arrow(score: str) -> str:
    """An arrow in the better direction of a score; "" if no direction is better."""
    return ARROWS[better(score)]


def printed(score: str, value: float) -> str:
    """A score's value as text, with the score's decimals and factor."""
    entry = SCORES[score]
    return fixed(entry.factor * value, entry.decimals)


def signed(score: str, value: float) -> str:
    """A difference in a score as text with a sign, with the score's decimals and factor."""
    entry = SCORES[score]
    return fixed(entry.factor * value, entry.decimals, plus="+")


def bracketed(low: float | None, high: float | None, text: Callable[[float], str]) -> str:
    """An interval as text: ``[4.88, 5.70]``; "" if a bound is None.

    Args:
        text: writes a bound as text.
    """
    if low is None or high is None:
        return ""
    return f"[{text(low)}, {text(high)}]"


def estimated(score: str, estimate: Estimate) -> tuple[str, str]:
    """Return two texts: the mean, and its confidence interval, such as ``[4.88, 5.70]``.

    The second text is empty if the interval is not defined, or if all seeds have the same score.
    """
    low, high = estimate.low, estimate.high
    interval = "" if low == high else bracketed(low, high, lambda value: printed(score, value))
    return printed(score, estimate.mean), interval


def seed_values(score: str, estimate: Estimate) -> str:
    """The values of the seeds as text, such as ``4.95, 5.09, 5.26``.

    "" for a single seed, and for more seeds than `FEW_SEEDS`.
    """
    if not 1 < estimate.n <= FEW_SEEDS:
        return ""
    return ", ".join(printed(score, value) for value in estimate.values)


def cell(row: Row, score: str, none: str = "") -> tuple[str, str]:
    """A table cell for one score of one variant: the mean and its interval, as in `estimated`.

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

"""The conclusions that the comparison of two variants allows."""

from collections.abc import Sequence
from typing import Literal

from ganvae.report.numbers import fixed, listed, p_value, significant
from ganvae.report.scores import bracketed, name, printed, signed
from ganvae.scores.catalogue import PRIMARY, better
from ganvae.scores.comparison import Comparison, Row
from ganvae.scores.intervals import MARGIN
from ganvae.scores.statistics import Difference

TOO_FEW = "too few seeds"  # a verdict of statistics.py
WITHIN = f"between {1 / MARGIN:g} and {MARGIN:g}"
"""The ratios that count as equivalent."""

Side = Literal["first", "second"]

SIDES: dict[Side, str] = {"first": "GAN", "second": "VAE"}
"""The families that are the first and the second side of each difference."""


def primary(differences: Sequence[Difference]) -> Difference | None:
    """The difference in FID, the primary outcome; None if FID is not among ``differences``."""
    return next((difference for difference in differences if difference.score == PRIMARY), None)


def winner(difference: Difference) -> Side | None:
    """The side that the rank test shows to be better; None if the test shows no difference."""
    if difference.verdict == "first better":
        return "first"
    return "second" if difference.verdict == "second better" else None


def leader(difference: Difference) -> Side | None:
    """The side with the better mean; None if the means are equal. A test is not needed."""
    gap = difference.mean_first - difference.mean_second
    if gap == 0:
        return None
    return "first" if (gap > 0) == (better(difference.score) == "higher") else "second"


def excludes_equality(difference: Difference) -> bool:
    """Whether the confidence interval of the difference or ratio shows that the means differ."""
    same = 1 if difference.scale == "log" else 0
    low, high = difference.low, difference.high
    return low is not None and high is not None and (low > same or high < same)


def verdict(difference: Difference) -> str:
    """The verdict of a comparison as a table cell, such as ``dcgan better`` or ``undecided``.

    An undecided comparison names the difference or ratio that the seeds could have shown.
    """
    side = winner(difference)
    if side:
        return f"{difference.first if side == 'first' else difference.second} better"
    power = shown_from(difference)
    return (
        f"undecided ({power})"
        if difference.verdict == "undecided" and power
        else str(difference.verdict)
    )


def shown_from(difference: Difference) -> str:
    """The smallest difference that could have been shown: ``80 % power from a ratio of 1.25``."""
    if difference.detectable is None:
        return ""
    if difference.scale == "log":
        return f"80 % power from a ratio of {significant(difference.detectable)}"
    return f"80 % power from a difference of {printed(difference.score, difference.detectable)}"


def tested(difference: Difference) -> str:
    """The p-value as a table cell, without "p ="; "" if no test was made."""
    return p_value(difference.p).removeprefix("p ").removeprefix("= ")


def spread(difference: Difference) -> tuple[str, str]:
    """A difference or a ratio as text, and its interval: ``0.572`` and ``[0.530, 0.616]``.

    Both are "" if a ratio is not defined. The interval is "" if it is not defined.
    """
    if difference.effect is None:
        return "", ""
    if difference.scale == "log":
        return significant(difference.effect), bracketed(
            difference.low, difference.high, significant
        )
    score = difference.score
    return signed(score, difference.effect), bracketed(
        difference.low, difference.high, lambda value: signed(score, value)
    )


def probability(difference: Difference) -> tuple[str, str]:
    """The probability that the first side is better, and its interval, as two texts."""
    ends = (difference.better_low, difference.better_high)
    return fixed(difference.better, 2), bracketed(*ends, lambda value: fixed(value, 2))


def shortages(differences: Sequence[Difference]) -> list[str]:
    """Sentences that explain each verdict `too few seeds`. No sentence is repeated."""
    short = [difference for difference in differences if difference.verdict == TOO_FEW]
    return list(dict.fromkeys(f"{TOO_FEW}: {_shortage(each)}." for each in short))


def _shortage(difference: Difference) -> str:
    return (
        f"with {difference.n_first} against {difference.n_second} seeds, a rank test cannot be "
        f"significant (the smallest possible p-value is {significant(difference.smallest_p, 2)})"
    )


def noise_remarks(comparison: Comparison) -> list[str]:
    """Sentences on the finalists that the ceiling (pure noise) beats.

    A finalist with a higher FID than the ceiling has learned too little. It says nothing about the
    other criteria. Of the other finalists, each criterion by which the ceiling beats one is named.
    """
    ceiling = next((row for row in comparison.rows if row.variant == "ceiling"), None)
    if ceiling is None:
        return []
    beaten = {each.score: _beaten(each, ceiling) for each in comparison.finalists}
    untrained = beaten.get(PRIMARY, [])
    remarks = [
        f"The ceiling, which is pure noise, has a lower mean {name(PRIMARY)} than `{variant}`, so "
        "this variant has learned too little for a comparison."
        for variant in untrained
    ]
    for score, variants in beaten.items():
        if worse := [f"`{variant}`" for variant in variants if variant not in untrained]:
            remarks.append(
                f"On this data set, {name(score)} does not distinguish images from noise: the "
                f"ceiling, which is pure noise, scores {printed(score, ceiling.scores[score].mean)}"
                f", better than {listed(worse)}."
            )
    return remarks


def _beaten(difference: Difference, ceiling: Row) -> list[str]:
    """The sides of a comparison whose mean score is worse than that of the ceiling."""
    if difference.score not in ceiling.scores:
        return []
    noise = ceiling.scores[difference.score].mean
    sides = {difference.first: difference.mean_first, difference.second: difference.mean_second}
    if better(difference.score) == "higher":
        return [variant for variant, mean in sides.items() if mean < noise]
    return [variant for variant, mean in sides.items() if mean > noise]

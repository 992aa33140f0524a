"""The conclusions that a difference between two variants allows."""

from collections.abc import Sequence
from typing import Literal

from ganvae.report.numbers import fixed, listed, p_value, significant
from ganvae.report.scores import interval, name, printed, signed
from ganvae.scores.catalogue import better
from ganvae.scores.comparison import Comparison
from ganvae.scores.statistics import Difference, Estimate

TOO_FEW = "too few seeds"  # a verdict of statistics.py

Side = Literal["first", "second"]


def winner(difference: Difference) -> Side | None:
    """The side that the rank test shows to be better; None if the test shows no difference."""
    if difference.verdict not in ("first higher", "second higher"):
        return None
    return _better(difference, first_higher=difference.verdict == "first higher")


def leader(difference: Difference) -> Side | None:
    """The side with the better mean; None if the means are equal. A test is not needed."""
    return _better(difference, first_higher=difference.mean > 0) if difference.mean else None


def _better(difference: Difference, first_higher: bool) -> Side:
    return "first" if first_higher == (better(difference.score) == "higher") else "second"


def verdict(difference: Difference) -> str:
    """The verdict of a difference as a table cell: the better side or "no difference shown", and p.

    With too few seeds for a test, the cell says ``too few seeds``.
    """
    if difference.verdict == TOO_FEW:
        return TOO_FEW
    side = winner(difference)
    ahead = difference.first if side == "first" else difference.second
    result = f"{ahead} better" if side else difference.verdict
    return f"{result}, {p_value(difference.p_holm)}"


def spread(difference: Difference) -> tuple[str, str]:
    """A difference and its interval as two texts; the interval is "" if it is not defined."""
    bounds = interval(difference.score, difference.low, difference.high)
    return signed(difference.score, difference.mean), bounds


def sizes(difference: Difference) -> tuple[str, str]:
    """Hedges' g ("" if it is not defined), and the probability that the first side is higher."""
    effect = "" if difference.effect is None else fixed(difference.effect, 2, plus="+")
    return effect, fixed(difference.superiority, 2)


def shortages(differences: Sequence[Difference]) -> list[str]:
    """Sentences that explain each verdict `too few seeds`. No sentence is repeated."""
    short = [difference for difference in differences if difference.verdict == TOO_FEW]
    return list(dict.fromkeys(f"{TOO_FEW}: {_shortage(each)}." for each in short))


def _shortage(difference: Difference) -> str:
    corrected = difference.smallest_p_holm > difference.smallest_p
    when = " after correction" if corrected else ""
    return (
        f"with {difference.n_first} against {difference.n_second} seeds, a rank test cannot be "
        f"significant (the smallest possible p-value{when} is "
        f"{significant(difference.smallest_p_holm, 2)})"
    )


def noise_remarks(comparison: Comparison) -> list[str]:
    """One sentence for each criterion by which the ceiling (pure noise) beats a finalist."""
    ceiling = next((row for row in comparison.rows if row.variant == "ceiling"), None)
    if ceiling is None:
        return []
    remarks = []
    for difference in comparison.finalists:
        score = difference.score
        noise = ceiling.scores.get(score)
        if noise is None:
            continue
        sides = (
            (difference.first, difference.mean_first),
            (difference.second, difference.mean_second),
        )
        worse = [f"`{variant}`" for variant, mean in sides if _beaten(difference, mean, noise)]
        if worse:
            remarks.append(
                f"On this data set, {name(score)} does not distinguish images from noise: the "
                f"ceiling, which is pure noise, scores {printed(score, noise.mean)}, better than "
                f"{listed(worse)}."
            )
    return remarks


def _beaten(difference: Difference, mean: float, noise: Estimate) -> bool:
    return noise.mean > mean if better(difference.score) == "higher" else noise.mean < mean

"""What a difference between two models, or two families, allows to be said."""

from collections.abc import Sequence
from typing import Literal

from ganvae.report.numbers import fixed, listed, p_value, significant
from ganvae.report.scores import interval, name, printed, signed
from ganvae.scores.catalogue import better
from ganvae.scores.comparison import Comparison
from ganvae.scores.statistics import Difference, Estimate

TOO_FEW = "too few seeds"  # a verdict of statistics.py

Side = Literal["first", "second"]


def winner(one: Difference) -> Side | None:
    """Who is shown to be better, by the verdict of the rank test."""
    if one.verdict not in ("first higher", "second higher"):
        return None
    return _better(one, first_higher=one.verdict == "first higher")


def leader(one: Difference) -> Side | None:
    """Whose mean is the better one, shown or not."""
    return _better(one, first_higher=one.mean > 0) if one.mean else None


def _better(one: Difference, first_higher: bool) -> Side:
    return "first" if first_higher == (better(one.score) == "higher") else "second"


def verdict(one: Difference, unit: str = "seeds") -> str:
    """In a few words: who is better and with which p, or that nothing is shown.

    Args:
        unit: what a value of each side is: `seeds` or `models`.
    """
    if one.verdict == TOO_FEW:
        return f"too few {unit}"
    side = winner(one)
    said = f"{one.first if side == 'first' else one.second} better" if side else one.verdict
    return f"{said}, {p_value(one.p_holm)}"


def spread(one: Difference) -> tuple[str, str]:
    """A difference and its interval, "" where there is none."""
    return signed(one.score, one.mean), interval(one.score, one.low, one.high)


def sizes(one: Difference) -> tuple[str, str]:
    """Hedges' g, "" where there is none, and the probability that the first is higher."""
    effect = "" if one.effect is None else fixed(one.effect, 2, plus="+")
    return effect, fixed(one.superiority, 2)


def shortages(differences: Sequence[Difference], unit: str = "seeds") -> list[str]:
    """What the verdicts `too few` stand for, in place of a p-value; each sentence once."""
    short = [one for one in differences if one.verdict == TOO_FEW]
    return list(dict.fromkeys(f"too few {unit}: {_shortage(one, unit)}." for one in short))


def _shortage(one: Difference, unit: str) -> str:
    when = " after correction" if one.smallest_p_holm > one.smallest_p else ""
    return (
        f"{one.n_first} against {one.n_second} {unit} cannot reach significance with a rank test "
        f"(the least possible p is {significant(one.smallest_p_holm, 2)}{when})"
    )


def noise_remarks(comparison: Comparison) -> list[str]:
    """A sentence on each criterion by which the ceiling, mere noise, is better than a finalist."""
    ceiling = next((row for row in comparison.rows if row.variant == "ceiling"), None)
    if ceiling is None:
        return []
    remarks = []
    for one in comparison.finalists:
        noise = ceiling.scores.get(one.score)
        if noise is None:
            continue
        sides = ((one.first, one.mean_first), (one.second, one.mean_second))
        worse = [f"`{model}`" for model, mean in sides if _beaten(one, mean, noise)]
        if worse:
            remarks.append(
                f"By {name(one.score)} the ceiling, pixels drawn by themselves, is better "
                f"({printed(one.score, noise.mean)}) than {listed(worse)}: here it does not tell "
                "images from noise."
            )
    return remarks


def _beaten(one: Difference, mean: float, noise: Estimate) -> bool:
    return noise.mean > mean if better(one.score) == "higher" else noise.mean < mean


def reach(comparison: Comparison) -> str:
    """What the comparison of the families is of."""
    said = (
        "This is of these models, not of all GANs and VAEs: they were picked, and some are "
        "variants of one another."
    )
    if comparison.aside:
        names = listed([f"`{model}`" for model in comparison.aside])
        said += f" Left aside, being there for a picture or a likelihood: {names}."
    return said

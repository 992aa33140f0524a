"""The answer to the question, in words that follow from the numbers alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from ganvae.report.numbers import duration, listed, p_value, significant
from ganvae.report.scores import estimated, name, printed
from ganvae.report.tuning import NOT_TUNED, Tuning, equal_effort
from ganvae.report.verdicts import TOO_FEW, Side, leader, noise_remarks, reach, spread, winner
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import Comparison, Row
from ganvae.scores.statistics import Difference

SIDES: dict[Side, str] = {"first": "GAN", "second": "VAE"}
"""What the two sides of finalists and of families are."""


@dataclass(frozen=True)
class Answer:
    """What the report opens with. Names of models stand in `backticks`.

    ``headline``: the answer, which begins with the effort where it was unequal; ``effort``: pairs
    of equal effort, and what was found outside the pipeline; ``finalists`` and ``families``: a
    sentence each, with the uncertainty; ``others``: what further criteria say; ``caveat``: what
    all of it holds for. ``effort`` and ``others`` are "" where there is nothing to say.
    """

    headline: str
    effort: str
    finalists: str
    families: str
    others: str
    caveat: str


def answer(
    comparison: Comparison, finalists: tuple[str, str] | None, tuning: Tuning = NOT_TUNED
) -> Answer:
    """Answer "GAN or VAE?" from the primary outcome, FID in the judge's features.

    Args:
        finalists: the GAN and the VAE named to answer it, or None.
        tuning: how the models' parameters were chosen.
    """
    compared = [row for row in comparison.rows if not finalists or row.variant in finalists]
    return Answer(
        headline=_headline(comparison, finalists, tuning.unequal),
        effort=" ".join(filter(None, [equal_effort(comparison, tuning), tuning.outside])),
        finalists=_of_finalists(comparison, finalists),
        families=_of_families(comparison),
        others=_of_other_criteria(comparison),
        caveat=_caveat(compared),
    )


def primary(differences: Sequence[Difference]) -> Difference | None:
    """The difference in the primary outcome, if it was measured on both sides."""
    return next((one for one in differences if one.score == PRIMARY), None)


def _headline(comparison: Comparison, finalists: tuple[str, str] | None, unequal: str) -> str:
    if finalists is None:
        return "No GAN and VAE were named to answer it."
    one = primary(comparison.finalists)
    if one is None:
        without = [model for model in finalists if not _has_score(comparison.rows, model)]
        why = listed([_score(comparison, model) for model in without])
        return f"The question cannot be answered here: {why}."
    diverged = any(row.variant in finalists and row.diverged for row in comparison.rows)
    verdict = _verdict(one)
    if unequal:
        verdict = f"Not settled, for the effort was unequal ({unequal}). {_between(verdict)}"
    return verdict + (" This is of the runs that did not diverge." if diverged else "")


def _between(verdict: str) -> str:
    return f"Between these two finalists: {verdict[:1].lower()}{verdict[1:]}"


def _verdict(one: Difference) -> str:
    if ahead := winner(one):
        return f"At these budgets, the {SIDES[ahead]}."
    if one.verdict == "no difference shown":
        return "At these budgets, no difference is shown."
    side = leader(one)
    if side and _excludes_zero(one):
        return f"It looks like the {SIDES[side]}, but the seeds are too few to show it."
    return "The seeds are too few to tell."


def _of_finalists(comparison: Comparison, finalists: tuple[str, str] | None) -> str:
    if finalists is None:
        return (
            "This profile names no finalists, so that only the families can be compared; picking "
            "the best of each after the fact would flatter both."
        )
    one = primary(comparison.finalists)
    gan, vae = (_score(comparison, model) for model in finalists)
    scores = (
        f"By FID in the judge's features, the primary outcome (lower is better), {gan} and {vae}"
    )
    if one is None:
        return f"{scores}."
    return f"{scores}: {_difference(one)}. {_rank_test(one, 'seeds')}"


def _score(comparison: Comparison, model: str) -> str:
    """A finalist's score, and what became of its runs."""
    row = next((row for row in comparison.rows if row.variant == model), None)
    if row is None or PRIMARY not in row.scores:
        return f"`{model}` has no score ({_fate(comparison, model, row)})"
    fid = row.scores[PRIMARY]
    runs = f"over {_counted(fid.n, 'seed')}"
    failed = ((row.collapsed, "of them collapsed"), (row.diverged, "more diverged"))
    if notes := listed([f"{count} {what}" for count, what in failed if count]):
        runs += f" ({notes})"
    return f"`{model}` scores {' '.join(estimated(PRIMARY, fid)).rstrip()} {runs}"


def _fate(comparison: Comparison, model: str, row: Row | None) -> str:
    """What became of the runs of a model without a score."""
    fates = (
        (row.diverged if row else 0, "diverged"),
        (row.seeds - row.diverged if row else 0, "without FID"),
        (sum(one.variant == model for one in comparison.unranked), "flagged and not ranked"),
    )
    told = listed([f"{_counted(count, 'run')} {what}" for count, what in fates if count])
    return told or "no run of it is here"


def _difference(one: Difference) -> str:
    mean, bounds = spread(one)
    difference = f"a difference, GAN minus VAE, of {mean}"
    if not bounds:
        return f"{difference}, without an interval, which takes two values a side"
    return f"{difference}, 95 % interval {bounds}"


def _rank_test(one: Difference, values: str) -> str:
    if one.verdict == TOO_FEW:
        return (
            f"{one.n_first} {values} against {one.n_second} are too few for an exact rank test, "
            f"whose p cannot fall below {significant(one.smallest_p_holm, 2)}{_apart(one)}."
        )
    side, p = winner(one), p_value(one.p_holm)
    if side is None:
        return f"An exact rank test does not show a difference ({p})."
    return f"An exact rank test shows the {SIDES[side]} ahead ({p})."


def _apart(one: Difference) -> str:
    side = leader(one)
    if side is None or one.superiority not in (0.0, 1.0) or one.n_first * one.n_second == 1:
        return ""
    return f" even where, as here, every value of the {SIDES[side]} is the better one"


def _of_families(comparison: Comparison) -> str:
    one = primary(comparison.families)
    if one is None:
        return "The families cannot be compared: that takes a GAN and a VAE with scores."
    first, second = printed(PRIMARY, one.mean_first), printed(PRIMARY, one.mean_second)
    gans, vaes = _counted(one.n_first, "GAN"), _counted(one.n_second, "VAE")
    return (
        f"Over the families, every model counting once, the {gans} here average {first} and the "
        f"{vaes} {second}: {_difference(one)}. {_rank_test(one, 'models')} {reach(comparison)}"
    )


def _of_other_criteria(comparison: Comparison) -> str:
    differences = comparison.finalists or comparison.families
    others = [one for one in differences if one.score != PRIMARY]
    if not others:
        return ""
    whom, values = ("finalists", "seeds") if comparison.finalists else ("families", "models")
    parts = [
        *_shown([one for one in others if one.verdict != TOO_FEW]),
        *_by_means([one for one in others if one.verdict == TOO_FEW], values),
    ]
    said = f"For the {whom}, further criteria {_agreement(differences)}: {'; '.join(parts)}."
    return " ".join([said, *noise_remarks(comparison)])


def _agreement(differences: Sequence[Difference]) -> str:
    """Whether the other criteria speak for the same side as the primary one."""
    first = primary(differences)
    side = _speaks(first) if first else None
    sides = {_speaks(one) for one in differences if one is not first} - {None}
    if not sides:
        return "tell no more"
    if side is None:
        return "tell more"
    return "point the same way" if sides == {side} else "do not all agree"


def _speaks(one: Difference) -> Side | None:
    """The side that a criterion speaks for; none where a test was made and showed nothing."""
    return leader(one) if one.verdict == TOO_FEW else winner(one)


def _shown(tested: Sequence[Difference]) -> list[str]:
    """What was tested, all criteria together by Holm."""
    parts = _ahead({side: [one for one in tested if winner(one) == side] for side in SIDES})
    rest = listed([name(one.score) for one in tested if winner(one) is None])
    return [*filter(None, [parts]), *([f"no difference is shown in {rest}"] if rest else [])]


def _by_means(untested: Sequence[Difference], values: str) -> list[str]:
    """Where there are too few values to test, the means alone."""
    parts = _ahead({side: [one for one in untested if leader(one) == side] for side in SIDES})
    return [f"by the means alone (too few {values} to test) {parts}"] if parts else []


def _ahead(by_side: dict[Side, list[Difference]]) -> str:
    """``the GAN is ahead in IS and recall, the VAE in precision``."""
    parts = [
        f"the {SIDES[side]} in {listed([name(one.score) for one in criteria])}"
        for side, criteria in by_side.items()
        if criteria
    ]
    return ", ".join(parts).replace(" in ", " is ahead in ", 1)


def _caveat(rows: Sequence[Row]) -> str:
    """What budgets it holds for, as far as the records tell."""
    seconds = [row.scores["train_seconds"].mean for row in rows if "train_seconds" in row.scores]
    if not seconds:
        return "All of this holds at these budgets and sizes alone."
    low, high = min(seconds), max(seconds)
    span = duration(high) if high < 1.1 * low else _span(low, high)
    return (
        f"All of this holds at these budgets, {span} of training a run: with more, or larger "
        "models, the order may be another."
    )


def _span(low: float, high: float) -> str:
    """``25 to 70 seconds``: the unit once where both have the same."""
    first, last = duration(low), duration(high)
    return f"{first.split()[0] if first.split()[1] == last.split()[1] else first} to {last}"


def _excludes_zero(one: Difference) -> bool:
    return one.low is not None and one.high is not None and (one.low > 0 or one.high < 0)


def _has_score(rows: Sequence[Row], model: str) -> bool:
    return any(row.variant == model and PRIMARY in row.scores for row in rows)


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"

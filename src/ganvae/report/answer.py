"""The answer to "GAN or VAE?": sentences that follow from a comparison's numbers alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from ganvae.report.numbers import duration, listed, p_value, significant
from ganvae.report.scores import estimated, name
from ganvae.report.tuning import NOT_TUNED, Tuning, equal_effort
from ganvae.report.verdicts import TOO_FEW, Side, leader, noise_remarks, spread, winner
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import Comparison, Row
from ganvae.scores.statistics import Difference

SIDES: dict[Side, str] = {"first": "GAN", "second": "VAE"}
"""The families that are the first and the second side of each difference."""


@dataclass(frozen=True)
class Answer:
    """The sentences that open the report. Names of variants are in `backticks`.

    Attributes:
        headline: the answer in one line. If the tuning effort was unequal, the headline starts with
            this fact.
        effort: the best GAN against the best VAE at equal tuning effort, and results from outside
            the pipeline. "" if neither exists.
        finalists: the FIDs of the finalists, and their difference with an interval and a test.
        others: the verdicts by criteria other than FID; "" if no other criterion was measured.
        caveat: the training budgets for which the answer holds.
    """

    headline: str
    effort: str
    finalists: str
    others: str
    caveat: str


def answer(
    comparison: Comparison, finalists: tuple[str, str] | None, tuning: Tuning = NOT_TUNED
) -> Answer:
    """Answer "GAN or VAE?" from the primary outcome, FID in the judge's features.

    Args:
        finalists: the GAN and the VAE that the profile names to answer the question, or None.
        tuning: how the parameters of the variants were chosen.
    """
    compared = [row for row in comparison.rows if not finalists or row.variant in finalists]
    return Answer(
        headline=_headline(comparison, finalists, tuning.unequal),
        effort=" ".join(filter(None, [equal_effort(comparison, tuning), tuning.outside])),
        finalists=_compare_finalists(comparison, finalists),
        others=_other_criteria(comparison),
        caveat=_caveat(compared),
    )


def primary(differences: Sequence[Difference]) -> Difference | None:
    """The difference in FID, the primary outcome; None if FID is not among ``differences``."""
    return next((difference for difference in differences if difference.score == PRIMARY), None)


def _headline(comparison: Comparison, finalists: tuple[str, str] | None, unequal: str) -> str:
    if finalists is None:
        return "This profile names no GAN and no VAE to answer the question."
    difference = primary(comparison.finalists)
    if difference is None:
        without = [variant for variant in finalists if not _has_score(comparison.rows, variant)]
        reasons = listed([_score(comparison, variant) for variant in without])
        return f"The question cannot be answered here: {reasons}."
    diverged = any(row.variant in finalists and row.diverged for row in comparison.rows)
    verdict = _verdict(difference)
    if unequal:
        how = f"{unequal[:1].upper()}{unequal[1:]}. {_between(verdict)}"
        verdict = f"The question is not settled, because the tuning effort was unequal. {how}"
    return verdict + (" Diverged runs are left out." if diverged else "")


def _between(verdict: str) -> str:
    return f"Between these two finalists, {verdict[:1].lower()}{verdict[1:]}"


def _verdict(difference: Difference) -> str:
    if ahead := winner(difference):
        return f"At these training budgets, the {SIDES[ahead]} is ahead."
    if difference.verdict == "no difference shown":
        return "At these training budgets, no difference is shown."
    side = leader(difference)
    if side and _excludes_zero(difference):
        return f"The {SIDES[side]} looks better, but there are too few seeds for a test."
    return "There are too few seeds to tell which side is ahead."


def _compare_finalists(comparison: Comparison, finalists: tuple[str, str] | None) -> str:
    if finalists is None:
        return (
            "This profile names no finalists (a GAN and a VAE to compare). Finalists that these "
            "scores chose would look better than they are."
        )
    difference = primary(comparison.finalists)
    gan, vae = (_score(comparison, variant) for variant in finalists)
    scores = (
        "The primary outcome is FID in the features of the judge, this project's own classifier. "
        f"Lower is better. {gan}, and {vae}."
    )
    if difference is None:
        return scores
    return f"{scores} {_difference(difference)} {_rank_test(difference)}"


def _score(comparison: Comparison, variant: str) -> str:
    """A clause with a finalist's FID, and the numbers of seeds, collapsed and diverged runs."""
    row = next((row for row in comparison.rows if row.variant == variant), None)
    if row is None or PRIMARY not in row.scores:
        return f"`{variant}` has no score ({_missing_because(comparison, variant, row)})"
    fid = row.scores[PRIMARY]
    runs = f"over {_counted(fid.n, 'seed')}"
    failed = (
        (row.collapsed, "collapsed run", "included"),
        (row.diverged, "diverged run", "left out"),
    )
    if notes := [f"{_counted(count, what)} {how}" for count, what, how in failed if count]:
        runs += f" ({', '.join(notes)})"
    return f"`{variant}` scores {' '.join(estimated(PRIMARY, fid)).rstrip()} {runs}"


def _missing_because(comparison: Comparison, variant: str, row: Row | None) -> str:
    """The reason why a variant has no FID: how many of its training runs are in which state."""
    states = (
        (row.diverged if row else 0, "diverged"),
        (row.seeds - row.diverged if row else 0, "without FID"),
        (
            sum(record.variant == variant for record in comparison.unranked),
            "flagged and therefore not ranked",
        ),
    )
    reasons = listed([f"{_counted(count, 'run')} {state}" for count, state in states if count])
    return reasons or "it has no runs"


def _difference(difference: Difference) -> str:
    mean, bounds = spread(difference)
    sentence = f"The difference, GAN minus VAE, is {mean}"
    if not bounds:
        return (
            f"{sentence}. There is no confidence interval, because an interval needs at least two "
            "values for the GAN side and two for the VAE side."
        )
    return f"{sentence} (95 % CI {bounds})."


def _rank_test(difference: Difference) -> str:
    if difference.verdict == TOO_FEW:
        least = significant(difference.smallest_p_holm, 2)
        return (
            f"With {difference.n_first} seeds against {difference.n_second}, an exact rank test "
            f"cannot show a difference, because its p-value cannot fall below {least}."
            f"{_separated(difference)}"
        )
    side, p = winner(difference), p_value(difference.p_holm)
    if side is None:
        return f"An exact rank test does not show a difference ({p})."
    return f"An exact rank test shows that the {SIDES[side]} is ahead ({p})."


def _separated(difference: Difference) -> str:
    """A sentence, if every value of one side is better than every value of the other; else ""."""
    side = leader(difference)
    single = difference.n_first * difference.n_second == 1
    if side is None or difference.superiority not in (0.0, 1.0) or single:
        return ""
    other: Side = "second" if side == "first" else "first"
    return (
        f" Nevertheless, every value of the {SIDES[side]} is better than every value of the "
        f"{SIDES[other]}."
    )


def _other_criteria(comparison: Comparison) -> str:
    differences = comparison.finalists
    others = [difference for difference in differences if difference.score != PRIMARY]
    if not others:
        return ""
    parts = [
        *_tested([difference for difference in others if difference.verdict != TOO_FEW]),
        *_by_means([difference for difference in others if difference.verdict == TOO_FEW]),
    ]
    sentence = f"The other criteria {_agreement(differences)}: {'; '.join(parts)}."
    return " ".join([sentence, *noise_remarks(comparison)])


def _agreement(differences: Sequence[Difference]) -> str:
    """A phrase that says whether the other criteria favour the same side as FID."""
    first = primary(differences)
    side = _favoured(first) if first else None
    sides = {_favoured(difference) for difference in differences if difference is not first}
    sides -= {None}
    if not sides:
        return "show no difference"
    if side is None:
        return "show a difference that FID does not show"
    return "agree with FID" if sides == {side} else "do not all agree with FID"


def _favoured(difference: Difference) -> Side | None:
    """The side that a criterion favours; None if the criterion shows no difference.

    With too few values for a test, this is the side with the better mean.
    """
    return leader(difference) if difference.verdict == TOO_FEW else winner(difference)


def _tested(differences: Sequence[Difference]) -> list[str]:
    """Clauses that name the criteria in which a side is ahead, and the criteria without winner."""
    by_side = {
        side: [difference for difference in differences if winner(difference) == side]
        for side in SIDES
    }
    ahead = _ahead(by_side)
    undecided = listed([name(each.score) for each in differences if winner(each) is None])
    return [
        *([ahead] if ahead else []),
        *([f"no difference is shown in {undecided}"] if undecided else []),
    ]


def _by_means(differences: Sequence[Difference]) -> list[str]:
    """A clause that names the side with the better mean, for criteria with too few seeds."""
    by_side = {
        side: [difference for difference in differences if leader(difference) == side]
        for side in SIDES
    }
    ahead = _ahead(by_side)
    return [f"by the means alone (too few seeds to test), {ahead}"] if ahead else []


def _ahead(by_side: dict[Side, list[Difference]]) -> str:
    """A clause like ``the GAN is ahead in IS, and the VAE is ahead in precision``."""
    parts = [
        f"the {SIDES[side]} is ahead in {listed([name(each.score) for each in criteria])}"
        for side, criteria in by_side.items()
        if criteria
    ]
    return ", and ".join(parts)


def _caveat(rows: Sequence[Row]) -> str:
    """A caveat that names the training budgets for which the answer holds.

    If the records have no training times, the caveat names no budgets.
    """
    seconds = [row.scores["train_seconds"].mean for row in rows if "train_seconds" in row.scores]
    if not seconds:
        return "These results hold only for these training budgets and model sizes."
    low, high = min(seconds), max(seconds)
    span = duration(high) if high < 1.1 * low else _span(low, high)
    return (
        f"These results hold only for these training budgets ({span} per run). With more training "
        "or larger models, the ranking may change."
    )


def _span(low: float, high: float) -> str:
    """Two durations as a range: ``25 to 70 seconds``. A shared unit is written once."""
    first, last = duration(low), duration(high)
    return f"{first.split()[0] if first.split()[1] == last.split()[1] else first} to {last}"


def _excludes_zero(difference: Difference) -> bool:
    low, high = difference.low, difference.high
    return low is not None and high is not None and (low > 0 or high < 0)


def _has_score(rows: Sequence[Row], variant: str) -> bool:
    return any(row.variant == variant and PRIMARY in row.scores for row in rows)


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"

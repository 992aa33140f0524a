"""The answer to "GAN or VAE?": sentences that follow from a comparison's numbers alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from ganvae.report.budgets import inequality, prefix, times
from ganvae.report.criteria import other_criteria
from ganvae.report.numbers import duration, fixed, listed, p_value, significant
from ganvae.report.scores import estimated
from ganvae.report.tuning import NOT_TUNED, Tuning, effort_text, other_pairs
from ganvae.report.verdicts import (
    SIDES,
    TOO_FEW,
    WITHIN,
    Side,
    excludes_equality,
    leader,
    primary,
    probability,
    spread,
    winner,
)
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import Comparison, Row
from ganvae.scores.statistics import Difference
from ganvae.scores.superiority import MEANINGFUL, can_be_meaningful


@dataclass(frozen=True)
class Answer:
    """The sentences that open the report. Names of variants are in `backticks`.

    Attributes:
        headline: the answer in one line. If the tuning effort was unequal, the headline starts with
            this fact.
        effort: the best GAN against the best VAE at equal tuning effort, and results from outside
            the pipeline. "" if neither exists.
        finalists: the FIDs of the finalists, their ratio, the probability that the GAN is better,
            and a test.
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
        headline=_headline(comparison, finalists, tuning),
        effort=" ".join(filter(None, [other_pairs(comparison, tuning), tuning.outside])),
        finalists=_compare_finalists(comparison, finalists),
        others=other_criteria(comparison),
        caveat=_caveat(compared, finalists),
    )


def _headline(comparison: Comparison, finalists: tuple[str, str] | None, tuning: Tuning) -> str:
    if finalists is None:
        return "This profile names no GAN and no VAE to answer the question."
    difference = primary(comparison.finalists)
    if difference is None:
        without = [variant for variant in finalists if not _has_score(comparison.rows, variant)]
        reasons = listed([_score(comparison, variant) for variant in without])
        return f"The question cannot be answered here: {reasons}."
    diverged = any(row.variant in finalists and row.diverged for row in comparison.rows)
    gan, vae = (_row(comparison.rows, variant) for variant in finalists)
    verdict = _verdict(difference, prefix(times(gan, vae)))
    if tuning.unequal:
        how = f"{tuning.unequal[:1].upper()}{tuning.unequal[1:]}. {_between(verdict)}"
        verdict = f"The question is not settled, because the tuning effort was unequal. {how}"
    elif (origin := tuning.match(finalists)) and origin.match:
        effort = f"({effort_text(origin.match)} each)"
        verdict = f"After the same tuning effort for GANs and VAEs {effort}, {_continued(verdict)}"
    return verdict + (" Diverged runs are left out." if diverged else "")


def _between(verdict: str) -> str:
    return f"Between these two finalists, {_continued(verdict)}"


def _continued(sentence: str) -> str:
    """A sentence as the end of a longer one."""
    return sentence[:1].lower() + sentence[1:]


def _verdict(difference: Difference, budgets: str) -> str:
    if ahead := winner(difference):
        return f"{budgets}, the {SIDES[ahead]} has the lower FID."
    if difference.verdict == "equivalent":
        return (
            f"{budgets}, the two are equivalent by FID: the ratio of their FIDs is shown to lie "
            f"{WITHIN}."
        )
    if difference.verdict == "undecided":
        return f"{budgets}, the comparison is undecided."
    side = leader(difference)
    if side and excludes_equality(difference):
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
    sentences = (scores, _ratio(difference), _probability(difference), _rank_test(difference))
    return " ".join(filter(None, sentences))


def _score(comparison: Comparison, variant: str) -> str:
    """A clause with a finalist's FID, and the numbers of seeds, collapsed and diverged runs."""
    row = _row(comparison.rows, variant)
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


def _ratio(difference: Difference) -> str:
    if difference.effect is None:
        return "An FID of 0 has no logarithm, so there is no ratio."
    ratio, bounds = spread(difference)
    sentence = f"The FID of the GAN is {ratio} times the FID of the VAE"
    if not bounds:
        return (
            f"{sentence}. There is no confidence interval, because an interval needs at least two "
            "values for the GAN side and two for the VAE side."
        )
    return f"{sentence} (95 % CI {bounds})."


def _probability(difference: Difference) -> str:
    """Sentences on the probability that the GAN is better, and on whether it is meaningful."""
    share, bounds = probability(difference)
    if not bounds:
        return ""
    low, high = difference.better_low or 0.0, difference.better_high or 0.0
    sides = [SIDES["first"]] * (low > MEANINGFUL) + [SIDES["second"]] * (high < 1 - MEANINGFUL)
    limit, n, m = fixed(MEANINGFUL, 2), difference.n_first, difference.n_second
    if sides:
        meaning = (
            f"In favour of the {sides[0]}, the interval lies beyond {limit}, so the difference is "
            "meaningful."
        )
    elif can_be_meaningful(n, m):
        meaning = (
            f"The interval does not show a probability above {limit} for either side, so a "
            "meaningful difference is not shown."
        )
    else:
        meaning = (
            f"To call a difference meaningful, the interval must lie beyond {limit}. With {n} "
            f"seeds against {m}, no interval does, whatever the scores are."
        )
    return (
        "A random run of the GAN has a lower FID than a random run of the VAE with an estimated "
        f"probability of {share} (95 % CI {bounds}). {meaning}"
    )


def _rank_test(difference: Difference) -> str:
    if difference.verdict == TOO_FEW:
        least = significant(difference.smallest_p, 2)
        return (
            f"With {difference.n_first} seeds against {difference.n_second}, an exact rank test "
            f"cannot show a difference, because its p-value cannot fall below {least}."
            f"{_separated(difference)}"
        )
    side, p = winner(difference), p_value(difference.p)
    if side:
        return f"An exact rank test shows that the {SIDES[side]} has the lower FID ({p})."
    sentence = f"An exact rank test does not show a difference ({p})."
    if difference.verdict == "equivalent":
        return f"{sentence} Two one-sided tests show that the ratio lies {WITHIN}."
    return f"{sentence} A ratio {WITHIN} is not shown, either.{_power(difference)}"


def _power(difference: Difference) -> str:
    if difference.detectable is None:
        return ""
    above, below = significant(difference.detectable), significant(1 / difference.detectable)
    return (
        f" With these seeds and this spread, the test would show a ratio of {above} or {below} "
        "with a power of 80 %."
    )


def _separated(difference: Difference) -> str:
    """A sentence, if every value of one side is better than every value of the other; else ""."""
    side = leader(difference)
    single = difference.n_first * difference.n_second == 1
    if side is None or difference.better not in (0.0, 1.0) or single:
        return ""
    other: Side = "second" if side == "first" else "first"
    return (
        f" Nevertheless, every value of the {SIDES[side]} is better than every value of the "
        f"{SIDES[other]}."
    )


def _caveat(rows: Sequence[Row], finalists: tuple[str, str] | None) -> str:
    """A caveat that names the training budgets for which the answer holds.

    If the records have no training times, the caveat names no budgets.
    """
    seconds = [row.scores["train_seconds"].mean for row in rows if "train_seconds" in row.scores]
    if not seconds:
        return "These results hold only for these training budgets and model sizes."
    low, high = min(seconds), max(seconds)
    span = duration(high) if high < 1.1 * low else _span(low, high)
    unequal = inequality(times(*(_row(rows, name) for name in finalists))) if finalists else ""
    caveat = (
        f"These results hold only for these training budgets ({span} per run). With more training "
        "or larger models, the ranking may change."
    )
    return f"{unequal} {caveat}".lstrip()


def _span(low: float, high: float) -> str:
    """Two durations as a range: ``25 to 70 seconds``. A shared unit is written once."""
    first, last = duration(low), duration(high)
    return f"{first.split()[0] if first.split()[1] == last.split()[1] else first} to {last}"


def _row(rows: Sequence[Row], variant: str) -> Row | None:
    return next((row for row in rows if row.variant == variant), None)


def _has_score(rows: Sequence[Row], variant: str) -> bool:
    return any(row.variant == variant and PRIMARY in row.scores for row in rows)


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"

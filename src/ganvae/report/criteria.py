"""The finalists by criteria other than FID, in sentences."""

from collections.abc import Sequence

from ganvae.report.numbers import listed
from ganvae.report.scores import name
from ganvae.report.verdicts import (
    SIDES,
    TOO_FEW,
    Side,
    leader,
    noise_remarks,
    primary,
    winner,
)
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import Comparison
from ganvae.scores.statistics import Difference


def other_criteria(comparison: Comparison) -> str:
    """Sentences on which finalist is ahead by criteria other than FID; "" without criteria."""
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
        return "favour no side"
    if side is None:
        return "show a difference that FID does not show"
    return "agree with FID" if sides == {side} else "do not all agree with FID"


def _favoured(difference: Difference) -> Side | None:
    """The side that a criterion favours; None if the criterion is undecided.

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
    undecided = [name(each.score) for each in differences if winner(each) is None]
    verb = "is" if len(undecided) == 1 else "are"
    return [
        *([ahead] if ahead else []),
        *([f"{listed(undecided)} {verb} undecided"] if undecided else []),
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

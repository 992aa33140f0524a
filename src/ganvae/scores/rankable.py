"""Whether records can stand in one ranking."""

from collections.abc import Sequence
from itertools import combinations

from ganvae.core.errors import UserError
from ganvae.scores.catalogue import INCEPTION
from ganvae.scores.records import Provenance, ScoreRecord

PLACES = {"floor": 0, "ceiling": 2}
"""Where the baselines stand in a leaderboard; all models are between, at 1."""


def check_rankable(named: Sequence[tuple[str, ScoreRecord]]) -> None:
    """Find out whether records can stand in one ranking.

    Args:
        named: each with what it is to be called.

    Raises:
        UserError: two that were measured in different ways, or a model's that are of two families;
            or one that has a baseline's name and is none.
    """
    for name, record in named:
        if record.variant in PLACES and record.family != "reference":
            raise UserError(
                f"{name}: {' and '.join(PLACES)} are the baselines' names, and this is of family "
                f"{record.family}. Give `ganvae score` another --model."
            )
    for (one_name, one), (other_name, other) in combinations(named, 2):
        both = f"{one_name} and {other_name}"
        if changes := [
            *protocol_changes(one.provenance, other.provenance),
            *_extractor_changes(one, other),
        ]:
            raise UserError(
                f"{both} cannot stand in one ranking: {', '.join(changes)}. Measure both alike: "
                "the pipeline's with `dvc repro`, samples with `ganvae score`."
            )
        if one.variant == other.variant and one.family != other.family:
            raise UserError(
                f"{both}: {one.variant} is of family {one.family} in one and of family "
                f"{other.family} in the other. Give `ganvae score` the same --family for both, or "
                "another --model for one."
            )


def protocol_changes(one: Provenance, other: Provenance) -> list[str]:
    """What keeps two records out of one ranking: `n_generated 10000 against 5000`, say."""
    if one.ranking == other.ranking:
        return []
    return [
        _change(one, other, field)
        for field in type(one).model_fields
        if one.model_copy(update={field: getattr(other, field)}).ranking != one.ranking
    ]


def _extractor_changes(one: ScoreRecord, other: ScoreRecord) -> list[str]:
    """Two Inception files, where both have scores in their features: one column cannot mix them."""
    having = all(any(r.scores.get(s) is not None for s in INCEPTION) for r in (one, other))
    same = one.provenance.inception_sha256 == other.provenance.inception_sha256
    if same or not having:
        return []
    return [_change(one.provenance, other.provenance, "inception_sha256")]


def _change(one: Provenance, other: Provenance, field: str) -> str:
    return f"{field} {str(getattr(one, field))[:12]} against {str(getattr(other, field))[:12]}"

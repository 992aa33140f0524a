"""Check whether records can be ranked together."""

from collections.abc import Sequence
from itertools import combinations

from ganvae.core.errors import UserError
from ganvae.scores.catalogue import INCEPTION
from ganvae.scores.records import Provenance, ScoreRecord

BASELINES = ("floor", "ceiling")
"""The names of the baselines, which no variant may have."""


def check_rankable(named: Sequence[tuple[str, ScoreRecord]]) -> None:
    """Check that records can be ranked together.

    Args:
        named: pairs of a name and a record. Error messages use the name.

    Raises:
        UserError: two records were measured in different ways, two records of one variant have
            different families, or a record has a baseline's name but is not a baseline.
    """
    for name, record in named:
        if record.variant in BASELINES and record.family != "reference":
            raise UserError(
                f"{name}: the name {record.variant} is reserved for a baseline, but this record "
                f"is no baseline (its family is {record.family}). Score the samples again with "
                "another name (--model)."
            )
    for (first_name, first), (second_name, second) in combinations(named, 2):
        both = f"{first_name} and {second_name}"
        if changes := [
            *protocol_changes(first.provenance, second.provenance),
            *_extractor_changes(first, second),
        ]:
            raise UserError(
                f"{both} cannot be ranked together, because they were measured in different ways: "
                f"{', '.join(changes)}. Measure both records in the same way: run `dvc repro` for "
                "records of the pipeline, or `ganvae score` for samples."
            )
        if first.variant == second.variant and first.family != second.family:
            raise UserError(
                f"{both}: the family of {first.variant} is {first.family} in the first record but "
                f"{second.family} in the second. Score both with the same --family, or give one of "
                "the two records another --model."
            )


def protocol_changes(one: Provenance, other: Provenance) -> list[str]:
    """List the differences because of which two records cannot be ranked together.

    Each difference is a text such as ``n_generated 10000 against 5000``.
    """
    if one.ranking == other.ranking:
        return []
    return [
        _change(one, other, field)
        for field in type(one).model_fields
        if one.model_copy(update={field: getattr(other, field)}).ranking != one.ranking
    ]


def _extractor_changes(first: ScoreRecord, second: ScoreRecord) -> list[str]:
    """Return one text if two records have Inception scores from different files, else no text.

    One column of a table cannot mix scores from two Inception files.
    """
    both_scored = all(any(r.scores.get(s) is not None for s in INCEPTION) for r in (first, second))
    same_file = first.provenance.inception_sha256 == second.provenance.inception_sha256
    if same_file or not both_scored:
        return []
    return [_change(first.provenance, second.provenance, "inception_sha256")]


def _change(first: Provenance, second: Provenance, field: str) -> str:
    return f"{field} {str(getattr(first, field))[:12]} against {str(getattr(second, field))[:12]}"

"""Rank agreement of the two judges: whether both judges' FIDs order the variants alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import kendalltau, spearmanr

from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import Row

SECOND = "fid_unlabelled"
"""The name of the second judge's FID."""

LEAST = 3
"""The smallest number of variants whose order is worth a coefficient."""


@dataclass(frozen=True)
class Agreement:
    """The order of variants under both judges.

    Attributes:
        variants: the variants, by increasing FID of the first judge.
        first, second: the rank of each variant under each judge, from 1.
        tau: Kendall's tau-b of both orders, in [-1, 1].
        rho: Spearman's rank correlation of both orders, in [-1, 1].
    """

    variants: list[str]
    first: list[int]
    second: list[int]
    tau: float
    rho: float


def agreement(rows: Sequence[Row]) -> Agreement | None:
    """Compare the orders of all variants that have both FIDs. Baselines are left out.

    Returns:
        None if fewer than `LEAST` variants have both FIDs, or if one judge gives all variants the
        same FID.
    """
    both = [
        row
        for row in rows
        if row.family != "reference" and PRIMARY in row.scores and SECOND in row.scores
    ]
    both.sort(key=lambda row: row.scores[PRIMARY].mean)
    first, second = ([row.scores[name].mean for row in both] for name in (PRIMARY, SECOND))
    if len(both) < LEAST or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return Agreement(
        variants=[row.variant for row in both],
        first=_ranks(first),
        second=_ranks(second),
        tau=float(kendalltau(first, second).statistic),
        rho=float(spearmanr(first, second).statistic),
    )


def _ranks(values: Sequence[float]) -> list[int]:
    """The rank of each value, from 1. Equal values share the lowest of their ranks."""
    return [1 + sum(other < value for other in values) for value in values]

"""The comparison across data sets: which side is ahead, by what factor, and the systems' order.

FIDs of different data sets are computed in different features and do not compare. Ratios of FIDs
do.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean

from scipy.stats import spearmanr

from ganvae.config import Params
from ganvae.core.errors import ConfigError
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import SIDES, Comparison, compare, values_of
from ganvae.scores.records import Provenance, ScoreRecord
from ganvae.scores.statistics import Difference, Estimate, corrected, difference


@dataclass(frozen=True)
class DataSet:
    """The findings of one profile on its data set.

    Attributes:
        train_images: the number of training images.
        image_shape: channels, height, width.
        finalists: the difference of log FID (natural logarithm), GAN minus VAE, one value per
            seed. It is tested together with the other data sets. None if a side has no score.
        families: the same for the families, with one value per variant: the logarithm of its mean
            FID. None if a side has no score.
    """

    params: Params
    train_images: int
    image_shape: tuple[int, int, int]
    provenance: Provenance
    comparison: Comparison
    finalists: Difference | None
    families: Difference | None

    @property
    def name(self) -> str:
        return self.provenance.dataset


def data_set(
    params: Params,
    records: Sequence[ScoreRecord],
    train_images: int,
    image_shape: tuple[int, int, int],
) -> DataSet:
    """A profile's data set. The test of its finalists is not yet corrected for other data sets."""
    comparison = compare(records, params.finalists, params.aside)
    return DataSet(
        params=params,
        train_images=train_images,
        image_shape=image_shape,
        provenance=next((record for record in records if not record.flags), records[0]).provenance,
        comparison=comparison,
        finalists=_finalists(params, records),
        families=_families(params, comparison),
    )


def across(sets: Sequence[DataSet]) -> list[DataSet]:
    """Test the finalists of all data sets together: verdicts by Holm's p-values.

    Raises:
        ConfigError: two profiles have the same data set, which would count twice, or were measured
            by different protocols.
    """
    for first, second in combinations(sets, 2):
        both = f"profiles {first.params.profile} and {second.params.profile}"
        protocols = [each.provenance.protocol_version for each in (first, second)]
        if protocols[0] != protocols[1]:
            raise ConfigError(
                f"{both} were measured by protocols {protocols[0]} and {protocols[1]}, which do "
                "not compare: leave one of them out."
            )
        if first.name == second.name:
            raise ConfigError(
                f"{both} both use the data set {first.name}, which would count twice: leave one of "
                "them out."
            )
    tested = iter(corrected([dataset.finalists for dataset in sets if dataset.finalists]))
    return [
        replace(dataset, finalists=next(tested)) if dataset.finalists else dataset
        for dataset in sets
    ]


def ratio(log_difference: Difference) -> tuple[float, float | None, float | None]:
    """FID of the GAN divided by FID of the VAE, and the bounds of its 95 % confidence interval.

    Both FIDs are geometric means. The bounds are None if the interval is not defined.
    """
    bounds = (log_difference.low, log_difference.high)
    low, high = (None if bound is None else math.exp(bound) for bound in bounds)
    return math.exp(log_difference.mean), low, high


def untuned(sets: Sequence[DataSet]) -> dict[str, list[Estimate | None]]:
    """The FID of each untuned GAN and VAE system, one per data set; None if it has no score.

    Variants with another name than their system are left out. The systems with the best places on
    average come first.
    """
    by_set = [_untuned(dataset) for dataset in sets]
    names = dict.fromkeys(name for scores in by_set for name in scores)
    fids = {name: [scores.get(name) for scores in by_set] for name in names}
    mean = {name: fmean(filter(None, placed)) for name, placed in places(fids).items()}
    return {name: fids[name] for name in sorted(fids, key=mean.__getitem__)}


def places(fids: Mapping[str, Sequence[Estimate | None]]) -> dict[str, list[int | None]]:
    """Each system's place by mean FID on each data set, from 1. Ties share the better place."""
    columns = [[score for score in column if score] for column in zip(*fids.values(), strict=True)]
    return {
        name: [
            1 + sum(other.mean < score.mean for other in column) if score else None
            for score, column in zip(scores, columns, strict=True)
        ]
        for name, scores in fids.items()
    }


def correlations(fids: Mapping[str, Sequence[Estimate | None]]) -> tuple[int, list[float]]:
    """How similarly the data sets order the systems that have a score on all of them.

    Returns:
        The number of these systems, and Spearman's rank correlation of every pair of data sets.
        With fewer than three systems there are no correlations, because they would mean nothing.
    """
    common = [scores for scores in fids.values() if all(scores)]
    if len(common) < 3:
        return len(common), []
    columns = [[score.mean for score in column if score] for column in zip(*common, strict=True)]
    pairs = combinations(columns, 2)
    return len(common), [float(spearmanr(a, b).statistic) for a, b in pairs]


def _finalists(params: Params, records: Sequence[ScoreRecord]) -> Difference | None:
    values = [values_of(records, variant).get(PRIMARY, []) for variant in params.finalists]
    return _log_difference(values, params.finalists)


def _families(params: Params, comparison: Comparison) -> Difference | None:
    means = [
        [
            row.scores[PRIMARY].mean
            for row in comparison.rows
            if row.family == side and row.variant not in params.aside and PRIMARY in row.scores
        ]
        for side in SIDES
    ]
    return _log_difference(means, SIDES)


def _log_difference(fids: Sequence[Sequence[float]], names: Sequence[str]) -> Difference | None:
    if not fids or not all(fids):
        return None
    a, b = ([math.log(fid) for fid in side] for side in fids)
    return difference(PRIMARY, names[0], a, names[1], b)


def _untuned(dataset: DataSet) -> dict[str, Estimate]:
    left_out = {*dataset.params.tuned, *dataset.params.aside}
    return {
        row.variant: row.scores[PRIMARY]
        for row in dataset.comparison.rows
        if row.family in SIDES
        and row.variant == dataset.params.system(row.variant)
        and row.variant not in left_out
        and PRIMARY in row.scores
    }

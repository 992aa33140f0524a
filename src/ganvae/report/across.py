"""Compare GAN and VAE across data sets: the ratio of their FIDs, and the ranking of the systems.

FID uses different features on each data set, so FIDs of different data sets cannot be compared. But
the ratio of two FIDs on one data set can be compared with the ratio on another data set.
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
    """The findings of one profile, a parameter file with the experiments on one data set.

    The finalists are the GAN and the VAE that the profile names to answer the question.

    Attributes:
        train_images: the number of training images.
        image_shape: channels, height, width.
        finalists: the difference in log FID (natural logarithm) between the finalists, GAN minus
            VAE. It is computed from one log FID per seed. None if a finalist has no FID.
    """

    params: Params
    train_images: int
    image_shape: tuple[int, int, int]
    provenance: Provenance
    comparison: Comparison
    finalists: Difference | None

    @property
    def name(self) -> str:
        return self.provenance.dataset


def data_set(
    params: Params,
    records: Sequence[ScoreRecord],
    train_images: int,
    image_shape: tuple[int, int, int],
) -> DataSet:
    """Return the `DataSet` of a profile, from the profile's score records.

    The p-value of the finalists is not yet corrected for other data sets; `across` corrects it.
    """
    comparison = compare(records, params.finalists, params.aside)
    return DataSet(
        params=params,
        train_images=train_images,
        image_shape=image_shape,
        provenance=next((record for record in records if not record.flags), records[0]).provenance,
        comparison=comparison,
        finalists=_finalists(params, records),
    )


def across(sets: Sequence[DataSet]) -> list[DataSet]:
    """Correct the p-values of the finalists for the number of data sets (Holm).

    Returns:
        The data sets, whose finalists have corrected p-values and the verdicts that follow from
        these p-values.

    Raises:
        ConfigError: two profiles use the same data set, which would count twice. Or two profiles
            were measured by different protocols.
    """
    for first, second in combinations(sets, 2):
        both = f"profiles {first.params.profile} and {second.params.profile}"
        protocols = [each.provenance.protocol_version for each in (first, second)]
        if protocols[0] != protocols[1]:
            raise ConfigError(
                f"{both} were measured by different protocols ({protocols[0]} and {protocols[1]}), "
                "so their scores cannot be compared. Leave out one of the two profiles."
            )
        if first.name == second.name:
            raise ConfigError(
                f"{both} use the same data set ({first.name}), which would count twice. Leave out "
                "one of the two profiles."
            )
    tested = iter(corrected([dataset.finalists for dataset in sets if dataset.finalists]))
    return [
        replace(dataset, finalists=next(tested)) if dataset.finalists else dataset
        for dataset in sets
    ]


def ratio(log_difference: Difference) -> tuple[float, float | None, float | None]:
    """Return the ratio of two FIDs, and the two bounds of the ratio's 95 % confidence interval.

    The ratio is the FID of the GAN divided by the FID of the VAE. Both FIDs are geometric means.
    The bounds are None if the interval is not defined.

    Args:
        log_difference: the difference in log FID, GAN minus VAE.
    """
    bounds = (log_difference.low, log_difference.high)
    low, high = (None if bound is None else math.exp(bound) for bound in bounds)
    return math.exp(log_difference.mean), low, high


def untuned(sets: Sequence[DataSet]) -> dict[str, list[Estimate | None]]:
    """Return a mapping from each untuned GAN or VAE system to its FIDs, one FID per data set.

    The FIDs are in the order of ``sets``. An FID is None if the system has no score on the data
    set. The mapping has only variants that have the name of their system and are neither tuned nor
    set aside. The systems are sorted by their mean place, the best system first.
    """
    by_set = [_untuned(dataset) for dataset in sets]
    names = dict.fromkeys(name for scores in by_set for name in scores)
    fids = {name: [scores.get(name) for scores in by_set] for name in names}
    mean = {name: fmean(filter(None, placed)) for name, placed in places(fids).items()}
    return {name: fids[name] for name in sorted(fids, key=mean.__getitem__)}


def places(fids: Mapping[str, Sequence[Estimate | None]]) -> dict[str, list[int | None]]:
    """Rank the systems on each data set by mean FID.

    Returns:
        A mapping from system to its places, one place per data set. The best place is 1. Systems
        with equal FIDs share the better place. None if the system has no FID on the data set.
    """
    columns = [[score for score in column if score] for column in zip(*fids.values(), strict=True)]
    return {
        name: [
            1 + sum(other.mean < score.mean for other in column) if score else None
            for score, column in zip(scores, columns, strict=True)
        ]
        for name, scores in fids.items()
    }


def correlations(fids: Mapping[str, Sequence[Estimate | None]]) -> tuple[int, list[float]]:
    """Measure how similar the rankings of the systems are on different data sets.

    Only systems with an FID on every data set are ranked.

    Returns:
        The number of ranked systems, and Spearman's rank correlation for every pair of data sets.
        With fewer than three systems, the list of correlations is empty, because a correlation of
        two systems means nothing.
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

"""The comparison across data sets: the side ahead, the ratio of FIDs, and the systems' order.

FIDs of different data sets are computed in different features, so they cannot be compared. Ratios
of FIDs can be compared.
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
        finalists: the difference of log FID (natural logarithm) between the finalists, GAN minus
            VAE. Each finalist has one value per seed. `across` tests the differences of all data
            sets together. None if a finalist has no FID.
        families: the difference of log FID between the families, GANs minus VAEs. Each variant
            counts once, with the logarithm of its mean FID. None if a family has no FID.
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
        families=_families(params, comparison),
    )


def across(sets: Sequence[DataSet]) -> list[DataSet]:
    """Test the finalists of all data sets together, and return the data sets with new verdicts.

    The verdicts follow from p-values that are corrected over the data sets (Holm).

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
    """FID of the GAN divided by FID of the VAE, and the bounds of its 95 % confidence interval.

    Both FIDs are geometric means. The bounds are None if the interval is not defined.
    """
    bounds = (log_difference.low, log_difference.high)
    low, high = (None if bound is None else math.exp(bound) for bound in bounds)
    return math.exp(log_difference.mean), low, high


def untuned(sets: Sequence[DataSet]) -> dict[str, list[Estimate | None]]:
    """A mapping from untuned GAN or VAE system to its FIDs, one per data set in the given order.

    An FID is None if the system has no score on that data set. Included are only variants that have
    the name of their system and are neither tuned nor set aside. The systems are sorted by their
    mean place, the best first.
    """
    by_set = [_untuned(dataset) for dataset in sets]
    names = dict.fromkeys(name for scores in by_set for name in scores)
    fids = {name: [scores.get(name) for scores in by_set] for name in names}
    mean = {name: fmean(filter(None, placed)) for name, placed in places(fids).items()}
    return {name: fids[name] for name in sorted(fids, key=mean.__getitem__)}


def places(fids: Mapping[str, Sequence[Estimate | None]]) -> dict[str, list[int | None]]:
    """A mapping from system to its places by mean FID, one per data set; 1 is the best place.

    Systems with equal FIDs share the better place. A place is None if the system has no FID on that
    data set.
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
    """Measure how similarly the data sets order the systems that have an FID on every data set.

    Returns:
        The number of these systems, and Spearman's rank correlation of every pair of data sets.
        With fewer than three systems, the list of correlations is empty, because correlations would
        mean nothing.
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

"""What compares between data sets: who is ahead, by what factor, and in what order models come.

FIDs of different data sets are taken in different features and do not compare; their ratios do.
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
    """What one profile found on its data set.

    ``train_images``: how many there are; ``image_shape``: channels, height, width. ``finalists``:
    the natural logarithm of FID, GAN minus VAE, a value a seed, tested together with the other
    data sets; ``families``: the same, a value a model, the logarithm of its mean FID. Each is None
    where a side has no score.
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
    """A profile's data set by itself: its finalists' test is not corrected for others yet."""
    comparison = compare(records, params.finalists, params.aside)
    return DataSet(
        params=params,
        train_images=train_images,
        image_shape=image_shape,
        provenance=next((one for one in records if not one.flags), records[0]).provenance,
        comparison=comparison,
        finalists=_finalists(params, records),
        families=_families(params, comparison),
    )


def across(sets: Sequence[DataSet]) -> list[DataSet]:
    """The same data sets, their finalists tested together: verdicts by Holm's p-values.

    Raises:
        ConfigError: two profiles of one data set, which would count twice, or of two protocols.
    """
    for one, other in combinations(sets, 2):
        first, second = (found.provenance.protocol_version for found in (one, other))
        if first != second:
            raise ConfigError(
                f"profiles {one.params.profile} and {other.params.profile} were measured by "
                f"protocols {first} and {second}, which do not compare: leave one of them out."
            )
        if one.name == other.name:
            raise ConfigError(
                f"profiles {one.params.profile} and {other.params.profile} are both of "
                f"{one.name}, which would count twice: leave one of them out."
            )
    tested = iter(corrected([one.finalists for one in sets if one.finalists]))
    return [replace(one, finalists=next(tested)) if one.finalists else one for one in sets]


def ratio(one: Difference) -> tuple[float, float | None, float | None]:
    """FID of the GAN over FID of the VAE, geometric means; and its 95 % interval, if any."""
    low, high = (None if end is None else math.exp(end) for end in (one.low, one.high))
    return math.exp(one.mean), low, high


def untuned(sets: Sequence[DataSet]) -> dict[str, list[Estimate | None]]:
    """FID of each GAN and VAE whose parameters no score chose, by data set; None: no score.

    Variants of a system are left out. Those with the best places on average come first.
    """
    by_set = [_untuned(one) for one in sets]
    names = dict.fromkeys(name for scores in by_set for name in scores)
    fids = {name: [scores.get(name) for scores in by_set] for name in names}
    mean = {name: fmean(filter(None, placed)) for name, placed in places(fids).items()}
    return {name: fids[name] for name in sorted(fids, key=mean.__getitem__)}


def places(fids: Mapping[str, Sequence[Estimate | None]]) -> dict[str, list[int | None]]:
    """Each model's place by mean FID on each data set, from 1; ties share the better one."""
    columns = [[score for score in column if score] for column in zip(*fids.values(), strict=True)]
    return {
        name: [
            1 + sum(other.mean < score.mean for other in column) if score else None
            for score, column in zip(scores, columns, strict=True)
        ]
        for name, scores in fids.items()
    }


def correlations(fids: Mapping[str, Sequence[Estimate | None]]) -> tuple[int, list[float]]:
    """How alike the data sets order the models that all of them have.

    Returns:
        How many models these are, and Spearman's rank correlation of every two data sets; none
        of fewer than three models, of which it says nothing.
    """
    common = [scores for scores in fids.values() if all(scores)]
    if len(common) < 3:
        return len(common), []
    columns = [[score.mean for score in column if score] for column in zip(*common, strict=True)]
    pairs = combinations(columns, 2)
    return len(common), [float(spearmanr(one, other).statistic) for one, other in pairs]


def _finalists(params: Params, records: Sequence[ScoreRecord]) -> Difference | None:
    values = [values_of(records, model).get(PRIMARY, []) for model in params.finalists]
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


def _untuned(one: DataSet) -> dict[str, Estimate]:
    left_out = {*one.params.tuned, *one.params.aside}
    return {
        row.variant: row.scores[PRIMARY]
        for row in one.comparison.rows
        if row.family in SIDES
        and row.variant == one.params.system(row.variant)
        and row.variant not in left_out
        and PRIMARY in row.scores
    }

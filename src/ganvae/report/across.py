"""Compare GAN and VAE across data sets: the ratio of their FIDs, and the ranking of the systems.

FID uses different features on each data set, so FIDs of different data sets cannot be compared. But
the ratio of two FIDs on one data set can be compared with the ratio on another data set.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from scipy.stats import spearmanr

from ganvae.config import Params
from ganvae.core.errors import ConfigError
from ganvae.report.verdicts import primary
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import SIDES, Comparison, Row, compare
from ganvae.scores.intervals import Estimate
from ganvae.scores.pooled import Pooled, pooled_ratio
from ganvae.scores.records import Provenance, ScoreRecord
from ganvae.scores.statistics import Difference


@dataclass(frozen=True)
class DataSet:
    """The findings of one profile, a parameter file with the experiments on one data set.

    The finalists are the GAN and the VAE that the profile names to answer the question.

    Attributes:
        train_images: the number of training images.
        image_shape: channels, height, width.
        finalists: the comparison of the finalists by FID. None if a finalist has no FID.
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

    def row(self, variant: str) -> Row | None:
        """The row of a variant or baseline in the leaderboard, or None."""
        return next((row for row in self.comparison.rows if row.variant == variant), None)

    def rows(self) -> tuple[Row | None, Row | None]:
        """The rows of the two finalists, the GAN first. None for a finalist without a row."""
        gan, vae = self.params.finalists or ("", "")
        return self.row(gan), self.row(vae)


def data_set(
    params: Params,
    records: Sequence[ScoreRecord],
    train_images: int,
    image_shape: tuple[int, int, int],
) -> DataSet:
    """Return the `DataSet` of a profile, from the profile's score records."""
    comparison = compare(records, params.finalists, params.aside)
    return DataSet(
        params=params,
        train_images=train_images,
        image_shape=image_shape,
        provenance=next((record for record in records if not record.flags), records[0]).provenance,
        comparison=comparison,
        finalists=primary(comparison.finalists),
    )


def check_sets(sets: Sequence[DataSet]) -> None:
    """Check that the profiles can be shown on one page.

    Raises:
        ConfigError: two profiles use the same data set, which would count twice.
    """
    for first, second in combinations(sets, 2):
        both = f"profiles {first.params.profile} and {second.params.profile}"
        if first.name == second.name:
            raise ConfigError(
                f"{both} use the same data set ({first.name}), which would count twice. Leave out "
                "one of the two profiles."
            )


def alike(sets: Sequence[DataSet]) -> list[DataSet]:
    """Return the largest group of data sets that were measured by one protocol.

    If two groups are equally large, the newer protocol wins. A mean never mixes protocols.
    """
    counts = Counter(dataset.provenance.protocol_version for dataset in sets)
    chosen = max(counts, key=lambda version: (counts[version], version))
    return [dataset for dataset in sets if dataset.provenance.protocol_version == chosen]


def overall(sets: Sequence[DataSet]) -> Pooled | None:
    """Return the mean ratio of the finalists' FIDs over the data sets, GAN divided by VAE.

    Data sets of another protocol (`alike`) and data sets without a ratio are left out. None if no
    data set has a ratio.
    """
    sides = []
    for dataset in alike(sets):
        gan, vae = dataset.rows()
        if dataset.finalists and dataset.finalists.effect is not None and gan and vae:
            sides.append((gan.scores[PRIMARY].values, vae.scores[PRIMARY].values))
    return pooled_ratio(sides) if sides else None


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


def _untuned(dataset: DataSet) -> dict[str, Estimate]:
    left_out = {*dataset.params.tuned, *dataset.params.aside}
    return {
        row.variant: row.scores[PRIMARY]
        for row in dataset.comparison.rows
        if row.family in SIDES
        and not row.submitted
        and row.variant == dataset.params.system(row.variant)
        and row.variant not in left_out
        and PRIMARY in row.scores
    }

"""Build a leaderboard from score records, and compare its variants."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from ganvae.core.errors import ConfigError
from ganvae.core.files import write_json
from ganvae.scores.catalogue import COMPARED, COSTS, PRIMARY, SCORES
from ganvae.scores.intervals import Estimate, estimate
from ganvae.scores.rankable import check_rankable
from ganvae.scores.records import ScoreRecord
from ganvae.scores.statistics import Difference, corrected, difference

SIDES = ("gan", "vae")
"""The two model families that are compared. GANs always come first."""

Values = Mapping[str, Sequence[float]]
"""A mapping from the name of a score to its values on one side of a comparison."""


@dataclass(frozen=True)
class NoiseParts:
    """The two parts of one score's noise, as standard deviations.

    Attributes:
        training: the standard deviation over the random seeds of a variant. This value includes
            the noise from drawing the images. None for a single seed.
        evaluation: the root mean square of the standard errors in the variant's records. None if
            no record has a standard error.
    """

    training: float | None
    evaluation: float | None


@dataclass(frozen=True)
class Row:
    """One variant or baseline in a leaderboard.

    Attributes:
        scores: a mapping from score name to the mean over seeds, which is geometric for scores on a
            log scale. Scores without values are absent.
        completed, collapsed, diverged: the number of training runs with this status.
        steps: the number of training steps. None for a baseline.
        noise: a mapping from each score in `COMPARED` to its noise.
        unmeasured: the scores that no record of this row contains, because they were added to the
            catalogue after the measurement.
        submitted: whether a record has no weights: its samples were handed in, and how they came
            about is not known.
    """

    variant: str
    family: str
    scores: dict[str, Estimate]
    completed: int
    collapsed: int
    diverged: int
    steps: int | None
    noise: dict[str, NoiseParts]
    unmeasured: tuple[str, ...] = ()
    submitted: bool = False

    @property
    def seeds(self) -> int:
        """The number of all training runs in this row, whatever their status."""
        return self.completed + self.collapsed + self.diverged


@dataclass(frozen=True)
class Comparison:
    """The results of comparing a set of records.

    Attributes:
        rows: the leaderboard.
        pairs: all pairs of variants, compared by `PRIMARY`. The better variant comes first. The
            p-values of all pairs are corrected together, except that of the finalists: their
            comparison was planned in advance, so its p-value is the one in ``finalists``.
        finalists: one GAN (first) against one VAE, by each score of `COMPARED`. Each seed
            contributes one value.
        aside: GANs and VAEs that serve another purpose than the comparison of the families, such as
            a picture or a likelihood.
        unranked: the flagged records. All other attributes ignore these records.
    """

    rows: list[Row]
    pairs: list[Difference]
    finalists: list[Difference]
    aside: list[str]
    unranked: list[ScoreRecord]


def compare(
    records: Sequence[ScoreRecord],
    finalists: Sequence[str] | None,
    aside: Collection[str] = (),
) -> Comparison:
    """Rank the records that have no flags, and compare their variants.

    Args:
        finalists: the names of a GAN and a VAE, or None. The finalists must have been chosen
            without the scores in ``records``. Finalists without records are allowed.
        aside: variants that serve another purpose, such as a picture or a likelihood.

    Raises:
        UserError: records without flags cannot be ranked together (`check_rankable`).
        ConfigError: the finalists are not a GAN and a VAE, in this order.
    """
    if finalists:
        _check_finalists(records, finalists)
    ranked = [record for record in records if not record.flags]
    rows = leaderboard(ranked)
    seeds = {row.variant: values_of(ranked, row.variant) for row in rows}
    return Comparison(
        rows=rows,
        pairs=_pairs(
            [row.variant for row in rows if row.family != "reference"], seeds, {*(finalists or ())}
        ),
        finalists=_finalists(seeds, finalists) if finalists else [],
        aside=[row.variant for row in rows if row.variant in aside and row.family in SIDES],
        unranked=[record for record in records if record.flags],
    )


def _check_finalists(records: Sequence[ScoreRecord], finalists: Sequence[str]) -> None:
    if len(finalists) != len(SIDES):
        raise ConfigError(f"finalists must name a GAN and a VAE, but has {len(finalists)} names.")
    families = {record.variant: record.family for record in records}
    known = {name: families[name] for name in finalists if name in families}
    if any(known.get(name, side) != side for name, side in zip(finalists, SIDES, strict=True)):
        given = ", ".join(f"{name} is a {family}" for name, family in known.items())
        raise ConfigError(f"finalists must name a GAN and then a VAE, but {given}.")


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Convert a comparison, without its rows, to a dictionary that JSON can represent."""
    differences = {
        name: [asdict(result) for result in getattr(comparison, name)]
        for name in ("pairs", "finalists")
    }
    unranked = [record.model_dump(mode="json") for record in comparison.unranked]
    return differences | {"aside": comparison.aside, "unranked": unranked}


def write_comparison(path: Path, comparison: Comparison) -> None:
    """Write a comparison as JSON, without its rows, because the leaderboard's CSV has the rows."""
    write_json(path, as_json(comparison))


def _pairs(
    variants: Sequence[str], seeds: Mapping[str, Values], planned: Collection[str]
) -> list[Difference]:
    """Compare all pairs of variants. The pair ``planned`` is tested alone, the others together."""
    scored = [variant for variant in variants if PRIMARY in seeds[variant]]
    found = [
        difference(PRIMARY, first, seeds[first][PRIMARY], second, seeds[second][PRIMARY])
        for first, second in combinations(scored, 2)
    ]
    alone = [{pair.first, pair.second} == planned for pair in found]
    together = iter(corrected([pair for pair, only in zip(found, alone, strict=True) if not only]))
    return [pair if only else next(together) for pair, only in zip(found, alone, strict=True)]


def _finalists(seeds: Mapping[str, Values], finalists: Sequence[str]) -> list[Difference]:
    gan, vae = finalists
    return _by_score(gan, seeds.get(gan, {}), vae, seeds.get(vae, {}))


def _by_score(first: str, a: Values, second: str, b: Values) -> list[Difference]:
    """Compare two sides by every score of `COMPARED` that both sides have.

    The p-value of the primary score is not corrected. The p-values of all other scores are
    corrected together.
    """
    differences = [
        difference(score, first, a[score], second, b[score])
        for score in COMPARED
        if score in a and score in b
    ]
    primary = [result for result in differences if result.score == PRIMARY]
    return primary + corrected([result for result in differences if result.score != PRIMARY])


def values_of(records: Sequence[ScoreRecord], model: str) -> Values:
    """Return a mapping from each score to the values in the records of the variant ``model``.

    Flagged records, diverged training runs and null scores contribute no values.
    """
    values: dict[str, list[float]] = defaultdict(list)
    for record in records:
        if record.variant == model and record.status != "diverged" and not record.flags:
            for name, value in record.scores.items():
                if value is not None:
                    values[name].append(value)
    return dict(values)


def leaderboard(records: Sequence[ScoreRecord]) -> list[Row]:
    """Build one row per variant and baseline, by increasing FID.

    Diverged training runs are counted, but do not contribute to means. Collapsed training runs
    contribute, because otherwise a variant that sometimes collapses would look too good. The
    baselines have no fixed places, because a variant can be better than the floor by chance, or
    worse than the ceiling. A variant without FID comes last.

    Raises:
        UserError: the records cannot be ranked together (`check_rankable`).
    """
    check_rankable([(f"{record.variant} (seed {record.seed})", record) for record in records])
    by_variant: dict[str, list[ScoreRecord]] = defaultdict(list)
    for record in records:
        by_variant[record.variant].append(record)
    return sorted(map(_row, by_variant.values()), key=_rank)


def _row(records: list[ScoreRecord]) -> Row:
    counts = Counter(record.status for record in records)
    scored = [record for record in records if record.status != "diverged"]
    values = values_of(records, records[0].variant)
    return Row(
        variant=records[0].variant,
        family=records[0].family,
        scores={name: _estimate(name, seeds) for name, seeds in values.items()},
        completed=counts["completed"],
        collapsed=counts["collapsed"],
        diverged=counts["diverged"],
        steps=(scored or records)[0].provenance.training_steps,
        noise={name: _noise(name, values[name], scored) for name in COMPARED if name in values},
        unmeasured=tuple(
            s for s in SCORES if s not in COSTS and all(s not in r.scores for r in records)
        ),
        submitted=any(
            r.family != "reference" and r.provenance.weights_sha256 is None for r in records
        ),
    )


def _estimate(name: str, values: Sequence[float]) -> Estimate:
    # MLflow's records also have the FID on the validation split, and counts that are no scores.
    score = SCORES.get(name.removesuffix("_validation"))
    return estimate(values, score.scale, score.range) if score else estimate(values)


def _noise(score: str, values: Sequence[float], records: Sequence[ScoreRecord]) -> NoiseParts:
    errors = [record.noise[score].standard_error for record in records if score in record.noise]
    return NoiseParts(
        training=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        evaluation=float(np.sqrt(np.mean(np.square(errors)))) if errors else None,
    )


def _rank(row: Row) -> tuple[float, str]:
    score = row.scores.get(PRIMARY)
    return score.mean if score else math.inf, row.variant

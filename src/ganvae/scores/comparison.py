"""From score records to a leaderboard and to what differs between its models."""

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
from ganvae.scores.catalogue import COMPARED, PRIMARY, SCORES
from ganvae.scores.rankable import PLACES, check_rankable
from ganvae.scores.records import ScoreRecord
from ganvae.scores.statistics import Difference, Estimate, corrected, difference, estimate

SIDES = ("gan", "vae")
"""The two families that are compared, in this order."""

Values = Mapping[str, Sequence[float]]
"""By score, what one side of a comparison has of it."""


@dataclass(frozen=True)
class NoiseParts:
    """What one score's noise consists of, as standard deviations.

    ``training``: between the scores of a model's seeds, None for one; the draw of images is in it
    too. ``evaluation``: root mean square of the records' standard errors from resampling the
    generated images, None where no record has one.
    """

    training: float | None
    evaluation: float | None


@dataclass(frozen=True)
class Row:
    """One model of a leaderboard.

    Attributes:
        scores: the means over seeds; without the scores that no seed has.
        completed, collapsed, diverged: how many runs have this status.
        noise: of the scores in `COMPARED`.
        unmeasured: scores that its records do not mention, since they are older than the score.
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

    @property
    def seeds(self) -> int:
        """All its runs, whatever became of them."""
        return self.completed + self.collapsed + self.diverged


@dataclass(frozen=True)
class Comparison:
    """All that is said of a set of records.

    ``pairs``: every two models by `PRIMARY`, the better one first, corrected together.
    ``families``: GANs (first) against VAEs, one value a model, its mean over seeds;
    ``finalists``: one GAN (first) against one VAE, one value a seed: both of these by every score
    of `COMPARED` that the two sides have. ``aside``: models that were counted in neither family,
    though they are of one. ``unranked``: flagged records, in none of the others.
    """

    rows: list[Row]
    pairs: list[Difference]
    families: list[Difference]
    finalists: list[Difference]
    aside: list[str]
    unranked: list[ScoreRecord]


def compare(
    records: Sequence[ScoreRecord],
    finalists: Sequence[str] | None,
    aside: Collection[str] = (),
) -> Comparison:
    """Rank the records that have no flags and compare their models.

    Args:
        finalists: the names of a GAN and a VAE that were not picked by these scores, if any;
            models without records are no fault.
        aside: models that are there for a picture or a likelihood, and not for their family.

    Raises:
        UserError: records without flags that cannot stand in one ranking (`check_rankable`).
        ConfigError: finalists that are no GAN and VAE, in this order.
    """
    if finalists:
        _check_finalists(records, finalists)
    ranked = [record for record in records if not record.flags]
    rows = leaderboard(ranked)
    seeds = {row.variant: values_of(ranked, row.variant) for row in rows}
    counted = [row for row in rows if row.variant not in aside]
    gan, vae = SIDES
    return Comparison(
        rows=rows,
        pairs=_pairs([row.variant for row in rows if row.family != "reference"], seeds),
        families=_by_score(gan, _means(counted, gan), vae, _means(counted, vae)),
        finalists=_finalists(seeds, finalists) if finalists else [],
        aside=[row.variant for row in rows if row.variant in aside and row.family in SIDES],
        unranked=[record for record in records if record.flags],
    )


def _check_finalists(records: Sequence[ScoreRecord], finalists: Sequence[str]) -> None:
    families = {record.variant: record.family for record in records}
    given = {model: families[model] for model in finalists if model in families}
    if any(given.get(model, side) != side for model, side in zip(finalists, SIDES, strict=True)):
        found = ", ".join(f"{model} is a {family}" for model, family in given.items())
        raise ConfigError(f"finalists: {found}: give a GAN, then a VAE.")


def as_json(comparison: Comparison) -> dict[str, Any]:
    """A comparison but for its rows, as plain numbers, texts, lists and dictionaries."""
    differences = {
        name: [asdict(one) for one in getattr(comparison, name)]
        for name in ("pairs", "families", "finalists")
    }
    unranked = [record.model_dump(mode="json") for record in comparison.unranked]
    return differences | {"aside": comparison.aside, "unranked": unranked}


def write_comparison(path: Path, comparison: Comparison) -> None:
    """All of a comparison but its rows, which are in the leaderboard's CSV, as JSON."""
    write_json(path, as_json(comparison))


def _pairs(models: Sequence[str], seeds: Mapping[str, Values]) -> list[Difference]:
    scored = [model for model in models if PRIMARY in seeds[model]]
    return corrected(
        [
            difference(PRIMARY, first, seeds[first][PRIMARY], second, seeds[second][PRIMARY])
            for first, second in combinations(scored, 2)
        ]
    )


def _finalists(seeds: Mapping[str, Values], finalists: Sequence[str]) -> list[Difference]:
    gan, vae = finalists
    return _by_score(gan, seeds.get(gan, {}), vae, seeds.get(vae, {}))


def _by_score(first: str, a: Values, second: str, b: Values) -> list[Difference]:
    """One difference for each score of `COMPARED` that both sides have, the primary one alone."""
    every = [
        difference(score, first, a[score], second, b[score])
        for score in COMPARED
        if score in a and score in b
    ]
    primary = [one for one in every if one.score == PRIMARY]
    return primary + corrected([one for one in every if one.score != PRIMARY])


def _means(rows: Sequence[Row], family: str) -> Values:
    """By score, the mean over seeds of every model of the family that has it."""
    means: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.family == family:
            for name, score in row.scores.items():
                means[name].append(score.mean)
    return dict(means)


def values_of(records: Sequence[ScoreRecord], model: str) -> Values:
    """By score, what a model has in the records that count: not flagged and not diverged."""
    values: dict[str, list[float]] = defaultdict(list)
    for record in records:
        if record.variant == model and record.status != "diverged" and not record.flags:
            for name, value in record.scores.items():
                if value is not None:
                    values[name].append(value)
    return dict(values)


def leaderboard(records: Sequence[ScoreRecord]) -> list[Row]:
    """One row a model: the floor, then models from best to worst FID, then the ceiling.

    Diverged runs are counted and enter no mean. Collapsed ones are counted and do: without them
    a model that collapses now and then would look better than it is. A model without a score
    comes last.

    Raises:
        UserError: records that cannot stand in one ranking (`check_rankable`).
    """
    check_rankable([(f"{record.variant} (seed {record.seed})", record) for record in records])
    by_model: dict[str, list[ScoreRecord]] = defaultdict(list)
    for record in records:
        by_model[record.variant].append(record)
    return sorted(map(_row, by_model.values()), key=_rank)


def _row(records: list[ScoreRecord]) -> Row:
    counts = Counter(record.status for record in records)
    whole = [record for record in records if record.status != "diverged"]
    values = values_of(records, records[0].variant)
    return Row(
        variant=records[0].variant,
        family=records[0].family,
        scores={name: estimate(those) for name, those in values.items()},
        completed=counts["completed"],
        collapsed=counts["collapsed"],
        diverged=counts["diverged"],
        steps=(whole or records)[0].provenance.training_steps,
        noise={name: _noise(name, values[name], whole) for name in COMPARED if name in values},
        unmeasured=tuple(s for s in SCORES if all(s not in one.scores for one in records)),
    )


def _noise(score: str, values: Sequence[float], records: Sequence[ScoreRecord]) -> NoiseParts:
    errors = [record.noise[score].standard_error for record in records if score in record.noise]
    return NoiseParts(
        training=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        evaluation=float(np.sqrt(np.mean(np.square(errors)))) if errors else None,
    )


def _rank(row: Row) -> tuple[int, float, str]:
    score = row.scores.get(PRIMARY)
    return PLACES.get(row.variant, 1), score.mean if score else math.inf, row.variant

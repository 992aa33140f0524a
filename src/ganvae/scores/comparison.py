"""From score records to a leaderboard and to what differs between its models."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from ganvae.config import ModelConfig, Params, flat
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import read_json, write_json
from ganvae.core.paths import ProfilePaths
from ganvae.models.registry import model_config
from ganvae.scores.records import (
    INCEPTION_SCORES,
    SCORE_NAMES,
    Provenance,
    ScoreRecord,
    read_record,
    read_records,
)
from ganvae.scores.statistics import Difference, Estimate, corrected, difference, estimate

RANKED_BY = "fid_judge"
"""The primary outcome: it orders the leaderboard and is tested by itself."""

COMPARED = (
    RANKED_BY,
    "kid_judge",
    "is_judge",
    "mode_kl_judge",
    "precision_judge",
    "recall_judge",
    "coverage_judge",
    "inverted_mse",
)
"""What GANs and VAEs are compared by; all but the first are secondary, corrected together.

No judge gives both IS and the KL of modes: six secondary ones are what 5 seeds against 5 can bear.
"""

SIDES = ("gan", "vae")
"""The two families that are compared, in this order."""

PLACES = {"floor": 0, "ceiling": 2}
"""Where the baselines stand in a leaderboard; all models are between, at 1."""

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
    """One model of a leaderboard. A score that no seed has is absent from ``scores``.

    ``completed``, ``collapsed`` and ``diverged`` count its runs by status. ``noise`` is that of
    the scores of `COMPARED`.
    """

    model: str
    family: str
    scores: dict[str, Estimate]
    completed: int
    collapsed: int
    diverged: int
    steps: int | None
    noise: dict[str, NoiseParts]

    @property
    def seeds(self) -> int:
        """All its runs, whatever became of them."""
        return self.completed + self.collapsed + self.diverged


@dataclass(frozen=True)
class Comparison:
    """All that is said of a set of records.

    ``pairs``: every two models by `RANKED_BY`, the better one first, corrected together.
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
    seeds = {row.model: values_of(ranked, row.model) for row in rows}
    counted = [row for row in rows if row.model not in aside]
    gan, vae = SIDES
    return Comparison(
        rows=rows,
        pairs=_pairs([row.model for row in rows if row.family != "reference"], seeds),
        families=_by_score(gan, _means(counted, gan), vae, _means(counted, vae)),
        finalists=_finalists(seeds, finalists) if finalists else [],
        aside=[row.model for row in rows if row.model in aside and row.family in SIDES],
        unranked=[record for record in records if record.flags],
    )


def _check_finalists(records: Sequence[ScoreRecord], finalists: Sequence[str]) -> None:
    families = {record.model: record.family for record in records}
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
    scored = [model for model in models if RANKED_BY in seeds[model]]
    return corrected(
        [
            difference(RANKED_BY, first, seeds[first][RANKED_BY], second, seeds[second][RANKED_BY])
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
    primary = [one for one in every if one.score == RANKED_BY]
    return primary + corrected([one for one in every if one.score != RANKED_BY])


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
        if record.model == model and record.status != "diverged" and not record.flags:
            for name, value in record.scores.items():
                if value is not None:
                    values[name].append(value)
    return dict(values)


def collect_records(params: Params) -> list[ScoreRecord]:
    """The profile's records, baselines first, each run's with its training times."""
    baselines = ProfilePaths(params.profile).baselines / "scores.json"
    return [*read_records(baselines), *collect_runs(params, params.runs)]


def collect_runs(params: Params, keys: Iterable[str]) -> list[ScoreRecord]:
    """The records of some of the profile's runs, each with its training times."""
    paths = ProfilePaths(params.profile)
    records = []
    for key in keys:
        record = read_record(paths.run(key).scores)
        timing = read_json(paths.run(key).timing)
        times = {name: timing[name] for name in timing if name in SCORE_NAMES}
        records.append(record.model_copy(update={"scores": record.scores | times}))
    return records


Departures = dict[str, tuple[Any, Any]]
"""By dotted name: what a profile sets a parameter to, and the model's default."""


def departures(params: Params) -> dict[str, Departures]:
    """By model, the parameters that decide its weights and are not at the model's defaults."""
    changed = {}
    for name, section in params.models.items():
        system = params.system(name)
        given = _settings(model_config(system, section))
        defaults = _settings(model_config(system, {}))
        changed[name] = {
            key: (value, defaults[key]) for key, value in given.items() if value != defaults[key]
        }
    return changed


def _settings(config: ModelConfig) -> dict[str, Any]:
    """Parameters by dotted name; of the schedule its length alone, the rest is for the log."""
    schedule = f"{config.schedule.length} {config.schedule.unit}"
    return dict(flat(config.model_dump() | {"schedule": schedule}))


def leaderboard(records: Sequence[ScoreRecord]) -> list[Row]:
    """One row a model: the floor, then models from best to worst FID, then the ceiling.

    Diverged runs are counted and enter no mean. Collapsed ones are counted and do: without them
    a model that collapses now and then would look better than it is. A model without a score
    comes last.

    Raises:
        UserError: records that cannot stand in one ranking (`check_rankable`).
    """
    check_rankable([(f"{record.model} (seed {record.seed})", record) for record in records])
    by_model: dict[str, list[ScoreRecord]] = defaultdict(list)
    for record in records:
        by_model[record.model].append(record)
    return sorted(map(_row, by_model.values()), key=_rank)


def check_rankable(named: Sequence[tuple[str, ScoreRecord]]) -> None:
    """Find out whether records can stand in one ranking.

    Args:
        named: each with what it is to be called.

    Raises:
        UserError: two that were measured in different ways, or a model's that are of two families;
            or one that has a baseline's name and is none.
    """
    for name, record in named:
        if record.model in PLACES and record.family != "reference":
            raise UserError(
                f"{name}: {' and '.join(PLACES)} are the baselines' names, and this is of family "
                f"{record.family}. Give `ganvae score` another --model."
            )
    for (one_name, one), (other_name, other) in combinations(named, 2):
        both = f"{one_name} and {other_name}"
        if changes := [*protocol_changes(one.provenance, other.provenance), *_eyes(one, other)]:
            raise UserError(
                f"{both} cannot stand in one ranking: {', '.join(changes)}. Measure both alike: "
                "the pipeline's with `dvc repro`, samples with `ganvae score`."
            )
        if one.model == other.model and one.family != other.family:
            raise UserError(
                f"{both}: {one.model} is of family {one.family} in one and of family "
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


def _eyes(one: ScoreRecord, other: ScoreRecord) -> list[str]:
    """Two Inception files, where both have scores in their features: one column cannot mix them."""
    having = all(any(r.scores.get(s) is not None for s in INCEPTION_SCORES) for r in (one, other))
    same = one.provenance.inception_sha256 == other.provenance.inception_sha256
    if same or not having:
        return []
    return [_change(one.provenance, other.provenance, "inception_sha256")]


def _change(one: Provenance, other: Provenance, field: str) -> str:
    return f"{field} {str(getattr(one, field))[:12]} against {str(getattr(other, field))[:12]}"


def _row(records: list[ScoreRecord]) -> Row:
    counts = Counter(record.status for record in records)
    whole = [record for record in records if record.status != "diverged"]
    values = values_of(records, records[0].model)
    return Row(
        model=records[0].model,
        family=records[0].family,
        scores={name: estimate(those) for name, those in values.items()},
        completed=counts["completed"],
        collapsed=counts["collapsed"],
        diverged=counts["diverged"],
        steps=(whole or records)[0].provenance.training_steps,
        noise={name: _noise(name, values[name], whole) for name in COMPARED if name in values},
    )


def _noise(score: str, values: Sequence[float], records: Sequence[ScoreRecord]) -> NoiseParts:
    errors = [record.noise[score].standard_error for record in records if score in record.noise]
    return NoiseParts(
        training=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        evaluation=float(np.sqrt(np.mean(np.square(errors)))) if errors else None,
    )


def _rank(row: Row) -> tuple[int, float, str]:
    score = row.scores.get(RANKED_BY)
    return PLACES.get(row.model, 1), score.mean if score else math.inf, row.model

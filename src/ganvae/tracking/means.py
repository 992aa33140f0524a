"""A run for each model: what its seeds come to together; knows no MLflow."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ganvae.core.errors import UserError
from ganvae.tracking.names import LEVEL, interval_ends, metric, status_metric
from ganvae.tracking.tracked import Point, SeedRun, TrackedRun, checksum, model_key

if TYPE_CHECKING:
    from ganvae.scores.statistics import Estimate


def model_runs(
    runs: Iterable[SeedRun], known: Collection[str]
) -> tuple[list[TrackedRun], list[str]]:
    """The runs that those of one profile and model are nested in.

    Args:
        known: digests of those that are there already. Nothing is computed for them: they are
            given without points.

    Returns:
        The runs, and what there is to say of models that have none: while a profile is evaluated
        anew, say, its seeds are measured in different ways and have no mean.
    """
    seeds: dict[str, list[SeedRun]] = defaultdict(list)
    for run in runs:
        seeds[model_key(run.profile, run.record.variant)].append(run)
    models, remarks = [], []
    for key, those in seeds.items():
        model = _without_scores(key, those)
        try:
            models += [model] if model.digest in known else _with_scores(model, those)
        except UserError as error:
            remarks.append(f"{model.name} has no mean over its seeds: {error}")
    return models, remarks


def _without_scores(key: str, seeds: list[SeedRun]) -> TrackedRun:
    first = seeds[0]
    return TrackedRun(
        key=key,
        name=first.record.variant,
        experiment=first.experiment,
        digest=checksum(key, [run.digest for run in seeds]),
        started=min(run.started for run in seeds),
        finished=max(run.finished for run in seeds),
        status="FINISHED",
        tags={
            LEVEL: "variant",
            "profile": first.profile,
            "variant": first.record.variant,
            "family": first.record.family,
            "dataset": first.record.provenance.dataset,
            "data_sha256": first.record.provenance.data_sha256,
            "seeds": " ".join(str(run.record.seed) for run in seeds),
        },
        points=[],
        params=first.params,
        inputs=first.inputs,
    )


def _with_scores(model: TrackedRun, seeds: list[SeedRun]) -> list[TrackedRun]:
    """The model with each score's mean and 95 % interval, and how its runs ended.

    None if no seed is to be ranked.
    """
    from ganvae.scores.comparison import (
        leaderboard,  # with torch: a sync that has nothing to do is quick
    )

    return [
        replace(
            model,
            status="FINISHED" if row.completed else "FAILED",
            points=[
                Point(status_metric("completed"), row.completed),
                Point(status_metric("collapsed"), row.collapsed),
                Point(status_metric("diverged"), row.diverged),
                *_means(row.scores),
            ],
        )
        for row in leaderboard([run.record for run in seeds if not run.record.flags])
    ]


def _means(scores: "Mapping[str, Estimate]") -> Iterator[Point]:
    for name, score in scores.items():
        yield Point(metric(name), score.mean)
        if score.margin is not None:
            low, high = interval_ends(name)
            yield Point(low, score.mean - score.margin)
            yield Point(high, score.mean + score.margin)

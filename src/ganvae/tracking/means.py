"""Make the parent run of each variant, with the means over seeds. This module needs no MLflow."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ganvae.core.errors import UserError
from ganvae.tracking.names import LEVEL, interval_ends, metric, status_metric
from ganvae.tracking.tracked import Point, SeedRun, TrackedRun, checksum, model_key

if TYPE_CHECKING:
    from ganvae.scores.intervals import Estimate


def model_runs(
    runs: Iterable[SeedRun], known: Collection[str]
) -> tuple[list[TrackedRun], list[str]]:
    """Make one parent run for each variant of each profile.

    In MLflow, the training runs of a variant are nested in the variant's parent run.

    Args:
        runs: the training runs.
        known: the digests of the MLflow runs that exist already. A parent run with one of these
            digests is returned without points, to save the computation.

    Returns:
        The parent runs, and a remark for each variant whose training runs cannot be ranked
        together. For example, only some seeds were measured again after a change of settings.
    """
    seeds: dict[str, list[SeedRun]] = defaultdict(list)
    for run in runs:
        seeds[model_key(run.profile, run.record.variant)].append(run)
    parents, remarks = [], []
    for key, seed_runs in seeds.items():
        parent = _without_scores(key, seed_runs)
        try:
            parents += [parent] if parent.digest in known else _with_scores(parent, seed_runs)
        except UserError as error:
            remarks.append(f"{parent.name} has no mean over its seeds: {error}")
    return parents, remarks


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


def _with_scores(parent: TrackedRun, seeds: list[SeedRun]) -> list[TrackedRun]:
    """Return a list with ``parent`` and its points.

    The points are each score's mean and 95 % confidence interval, and the number of seeds by
    status. The list is empty if the records of all seeds are flagged.
    """
    # This imports torch, which a sync without new results does not need.
    from ganvae.scores.comparison import leaderboard

    return [
        replace(
            parent,
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
        if score.low is not None and score.high is not None:
            low, high = interval_ends(name)
            yield Point(low, score.low)
            yield Point(high, score.high)

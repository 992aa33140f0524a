"""Change one thing of each finalist at a time, to find out what it owes to each choice."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ganvae.config import ModelConfig
from ganvae.core.errors import ConfigError
from ganvae.matches.budget import scheduled
from ganvae.matches.draw import configured
from ganvae.matches.spec import Match, Why
from ganvae.matches.trial import Job
from ganvae.models.registry import system_config
from ganvae.scores.matches import FAMILIES, Family, TrainedRecord
from ganvae.scores.selection import finalist


class Change(NamedTuple):
    """A change of a finalist: its name, the changed configuration, and another split or None."""

    name: str
    config: ModelConfig
    split_seed: int | None = None


def changed_finalists(
    match: Match, search: Sequence[TrainedRecord], selection: Sequence[TrainedRecord]
) -> Iterator[list[Job]]:
    """Yield the training runs of the changed finalists, in groups with one per family.

    Raises:
        UserError: the selection is not complete.
    """
    if match.why is None:
        return
    winners = {family: finalist(match.rule, search, selection, family)[0] for family in FAMILIES}
    by_family = {family: list(_changes(match, match.why, winners[family])) for family in FAMILIES}
    for place in range(max(map(len, by_family.values()))):
        for seed in match.why.seeds:
            yield [
                _job(family, winners[family], changes[place], seed)
                for family, changes in by_family.items()
                if place < len(changes)
            ]


def _job(family: Family, winner: TrainedRecord, change: Change, seed: int) -> Job:
    config: dict[str, Any] = change.config.model_dump(mode="json", exclude_defaults=True)
    return Job("why", family, winner.trial, seed, winner, config, change.name, change.split_seed)


def _changes(match: Match, why: Why, winner: TrainedRecord) -> Iterator[Change]:
    whole = system_config(winner.system, winner.config)
    yield Change("unchanged", whole)
    for name in why.ablate.get(winner.family, []):
        if (without := _without(match, winner, name)) is not None:
            yield Change(f"without {name}", without)
    for factor in why.budgets:
        steps = max(1, round(winner.steps * factor))
        yield Change(f"{factor:g} of the steps", scheduled(winner.system, whole, steps))
    for seed in why.split_seeds:
        yield Change(f"split seed {seed}", whole, seed)


def _without(match: Match, winner: TrainedRecord, name: str) -> ModelConfig | None:
    """Return the winner's configuration with a parameter set back to its default.

    Returns:
        None if the winner has the default, or if the system rejects the default here.
    """
    if winner.parameters.get(name) is None:
        return None
    space = match.families[winner.family]
    others = {other: value for other, value in winner.parameters.items() if other != name}
    try:
        changed = configured(space, winner.system, others)
        with_it = configured(space, winner.system, winner.parameters)
    except ConfigError:
        return None
    if changed == with_it:
        return None
    return scheduled(winner.system, changed, winner.steps)

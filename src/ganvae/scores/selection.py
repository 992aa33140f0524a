"""The rule of selection: which trials are trained again, and which of them is the finalist."""

import math
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from ganvae.core.errors import UserError
from ganvae.scores.matches import TOLERANCE, Family, MatchRecord, TrainedRecord

BEST = 5
"""How many trials per family are trained again, if the match file does not say."""


class Rule(NamedTuple):
    """The rule of a match: trials per family, trials to train again, and the seeds of these."""

    trials: int
    best: int
    seeds: list[int]


def rule_of(record: MatchRecord) -> Rule:
    """Return the rule in the content of a match file."""
    selection = record.content["selection"]
    return Rule(record.content["trials"], selection.get("best", BEST), selection["seeds"])


def best_trials(rule: Rule, search: Sequence[TrainedRecord], family: Family) -> list[TrainedRecord]:
    """Return the trials of a family to train again, by increasing FID on the validation split.

    A trial that took more than its CPU-seconds by `TOLERANCE` is not eligible, and neither is a
    trial without FID.

    Raises:
        UserError: the search of the family is not complete.
    """
    trials = [record for record in search if record.family == family]
    if len(trials) < rule.trials:
        raise UserError(
            f"the search has {len(trials)} of {rule.trials} trials of the family {family}. Run "
            "`ganvae sweep match` first."
        )
    eligible = [trial for trial in trials if trial.selectable]
    return sorted(eligible, key=lambda t: (t.fid_judge, t.trial))[: rule.best]


def means(rule: Rule, selection: Sequence[TrainedRecord], family: Family) -> dict[int, float]:
    """Return the mean FID of each candidate over the seeds of the selection, by trial number.

    A candidate with a diverged seed has an infinite mean.

    Raises:
        UserError: a candidate lacks a seed.
    """
    by_trial: dict[int, dict[int, float]] = {}
    for record in selection:
        if record.family == family:
            fid = math.inf if record.fid_judge is None else record.fid_judge
            by_trial.setdefault(record.trial, {})[record.seed] = fid
    for trial, fids in by_trial.items():
        if {*fids} != {*rule.seeds}:
            raise UserError(
                f"trial {trial} of the family {family} lacks seeds of the selection. Run `ganvae "
                "sweep match` first."
            )
    return {trial: fmean(fids.values()) for trial, fids in by_trial.items()}


def finalist(
    rule: Rule,
    search: Sequence[TrainedRecord],
    selection: Sequence[TrainedRecord],
    family: Family,
) -> tuple[TrainedRecord, float]:
    """Return the finalist's trial in the search, and its mean FID over the selection's seeds.

    The finalist has the lowest mean FID on the validation split. With equal means, the trial that
    was better in the search wins.

    Raises:
        UserError: the search or the selection is not complete, or no candidate has a mean.
    """
    candidates = best_trials(rule, search, family)
    if not candidates:
        raise UserError(
            f"the family {family} has no candidate: each of its {rule.trials} trials diverged, or "
            f"took over {100 * TOLERANCE:.0f} % more than its CPU-seconds. Give the match more "
            "trials, on a machine with nothing else to do, under another name."
        )
    found = means(rule, selection, family)
    if {*found} != {trial.trial for trial in candidates}:
        raise UserError(
            f"the selection of the family {family} does not have exactly the best "
            f"{rule.best} trials. Run `ganvae sweep match` first."
        )
    if all(math.isinf(mean) for mean in found.values()):
        raise UserError(f"every candidate of the family {family} diverged from some seed.")
    winner = min(candidates, key=lambda trial: found[trial.trial])
    return winner, found[winner.trial]

"""Check that the records of a match are what its file says: equal effort, nothing by hand."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ganvae.config import load_params
from ganvae.core.errors import UserError
from ganvae.core.paths import ProfilePaths
from ganvae.data.store import read_split
from ganvae.matches.arena import tokens
from ganvae.matches.budget import scheduled, steps_within
from ganvae.matches.draw import draw
from ganvae.matches.spec import Match
from ganvae.models.base import shape_of
from ganvae.scores.matches import FAMILIES, MATCHES, Stage, TrainedRecord
from ganvae.scores.selection import finalist


def check_records(name: str, match: Match, records: Sequence[TrainedRecord]) -> None:
    """Check that records of any stage belong to the match as its file is now.

    Raises:
        UserError: a record comes from another match file, from code that behaves differently, or
            has a number, a seed or a budget that the match does not have. Also raised if the
            behaviour of the current code has not been measured.
    """
    now = tokens(match)
    for record in records:
        label = f"{MATCHES / name}: {record.family} {record.trial}, seed {record.seed}"
        if record.match_sha256 != match.sha256:
            raise UserError(
                f"{label} was trained for another content of the match file. A match must not "
                "change after its first trial. Restore the file from git, or give the changed "
                "match another name."
            )
        seeds = _seeds(match, record.stage)
        if record.trial >= match.trials or record.seed not in seeds:
            raise UserError(f"{label} is no training run of this match. Delete its record.")
        if record.budget_seconds != match.seconds:
            raise UserError(
                f"{label} had {record.budget_seconds:g} CPU-seconds, but the match gives "
                f"{match.seconds:g}. Delete its record."
            )
        changed = [token for token, value in record.tokens.items() if now.get(token) != value]
        if changed:
            raise UserError(
                f"{label} was trained by code that behaves differently ({', '.join(changed)}). "
                "Records of different behaviour cannot be compared. Check out the commit of the "
                "records, or delete them to search again."
            )


def _seeds(match: Match, stage: Stage) -> list[int]:
    if stage == "why":
        return match.why.seeds if match.why else []
    return match.selection.seeds if stage == "selection" else [match.seed]


def check_changed(
    name: str,
    match: Match,
    search: Sequence[TrainedRecord],
    selection: Sequence[TrainedRecord],
    why: Sequence[TrainedRecord],
) -> None:
    """Check that the changed finalists are changes of the present finalists.

    Raises:
        UserError: a record belongs to another trial, or the selection is not complete.
    """
    numbers = {
        family: finalist(match.rule, search, selection, family)[0].trial for family in FAMILIES
    }
    for record in why:
        if record.trial != numbers[record.family]:
            raise UserError(
                f"{record.path(name)}: the finalist is trial {numbers[record.family]} now. Delete "
                "the records of the old finalist."
            )


def check_equal_effort(match: Match, search: Sequence[TrainedRecord]) -> None:
    """Check that both families have all trials, each once.

    Raises:
        UserError: a family lacks trials or has a trial twice.
    """
    counts = Counter((str(record.family), record.trial) for record in search)
    for family in FAMILIES:
        numbers = {trial for (side, trial) in counts if side == family}
        if numbers != {*range(match.trials)} or any(counts[family, t] > 1 for t in numbers):
            raise UserError(
                f"the search has {len(numbers)} of {match.trials} trials of the family {family}. "
                "Both families must have all trials. Run `ganvae sweep match`."
            )


def check_drawn(match: Match, records: Sequence[TrainedRecord]) -> None:
    """Check that each record has the configuration that the match draws for its number.

    The number of training steps must be the number that was planned from the probe.

    Raises:
        UserError: a configuration or a number of steps differs, so it was chosen by hand.
    """
    params = load_params(Path(match.params))
    images = read_split(ProfilePaths(params.profile).split("train")).images
    for record in records:
        drawn = draw(match, record.family, record.trial, shape_of(images))
        steps = steps_within(match.seconds, record.probe) if record.probe else 0
        config = (
            scheduled(drawn.system, drawn.config, steps).model_dump(
                mode="json", exclude_defaults=True
            )
            if steps
            else {}
        )
        expected = (drawn.system, drawn.parameters, steps, config)
        if expected != (record.system, record.parameters, record.steps, record.config):
            raise UserError(
                f"{record.family} {record.trial}, seed {record.seed}, does not have the "
                "configuration that the match draws for it, with the number of steps that was "
                "planned. Delete its record, and run `ganvae sweep match`."
            )

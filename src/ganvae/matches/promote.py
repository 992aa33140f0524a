"""Write the finalists of a match into the profile's file of promoted variants."""

from collections.abc import Sequence
from pathlib import Path

from ganvae.config import Params, Promotion, load_params
from ganvae.config.promotions import PROMOTED, Effort
from ganvae.core.errors import UserError
from ganvae.core.files import read_json
from ganvae.core.paths import ProfilePaths
from ganvae.matches.check import check_drawn, check_equal_effort, check_records
from ganvae.matches.files import read_match
from ganvae.matches.spec import Match
from ganvae.models.registry import system_config
from ganvae.scores.matches import FAMILIES, STAGES, Family, TrainedRecord, read_stage
from ganvae.scores.selection import finalist
from ganvae.sweeps.variant import Variant, turn_to_promote, write_variant

NAMES: dict[Family, str] = {"gan": "gan-finalist", "vae": "vae-finalist"}
"""The name of each family's finalist, as a variant of the profile."""


def promote_finalists(name: str) -> str:
    """Write both finalists of a match as variants into promoted.yaml.

    The rule of selection names the finalists. Nobody can name another trial.

    Returns:
        One line per finalist for the user.

    Raises:
        UserError: the match is not complete, its records do not fit its file, or other finalists of
            this profile have been scored on the test split.
        ConfigError: the profile would be invalid with the finalists.
    """
    match = read_match(name)
    search, selection = (read_stage(Path(), name, stage) for stage in STAGES[:2])
    check_records(name, match, [*search, *selection])
    check_equal_effort(match, search)
    check_drawn(match, [*search, *selection])
    variants = [_variant(name, match, search, selection, family) for family in FAMILIES]
    params_file = Path(match.params)
    with turn_to_promote(params_file):
        params = load_params(params_file)
        for variant in variants:
            _check_first_look(params, variant)
        for variant in variants:
            write_variant(params_file, variant)
    file = params_file.with_name(PROMOTED)
    return "\n".join(
        f"{file}: {variant.name} is trial {variant.promotion.trial} of match {name}, with a mean "
        f"FID of {variant.promotion.fid_judge_validation:.4g} on the validation split"
        for variant in variants
    )


def _variant(
    name: str,
    match: Match,
    search: Sequence[TrainedRecord],
    selection: Sequence[TrainedRecord],
    family: Family,
) -> Variant:
    trial, fid = finalist(match.rule, search, selection, family)
    return Variant(
        name=NAMES[family],
        system=trial.system,
        config=system_config(trial.system, trial.config),
        seeds=match.finalist_seeds,
        promotion=Promotion(
            study=name,
            trial=trial.trial,
            fid_judge_validation=float(f"{fid:.6g}"),
            seeds=match.selection.seeds,
            match=Effort(trials=match.trials, seconds=match.seconds),
        ),
    )


def _check_first_look(params: Params, variant: Variant) -> None:
    """Check that no other configuration of this finalist has been scored on the test split.

    Raises:
        UserError: another configuration has scores, so this would be a second look at the test
            split.
    """
    if params.variants.get(variant.name) == variant.section:
        return
    # A variant that was deleted from promoted.yaml was seen on the test split all the same.
    paths = ProfilePaths(params.profile)
    for folder in sorted(paths.runs.glob(f"{variant.name}-*")):
        scores = paths.run(folder.name).scores
        if folder.name.removeprefix(f"{variant.name}-").isdigit() and scores.exists():
            protocol = read_json(scores)["provenance"]["protocol_version"]
            known = (
                "with other parameters"
                if variant.name in params.variants
                else f"and is no longer in {PROMOTED}, so its parameters are not known"
            )
            raise UserError(
                f"{variant.name} of profile {params.profile} has been scored on the test split "
                f"{known} ({scores}, protocol {protocol}). A second finalist would be chosen after "
                f"a look at the test split. Keep or restore the first finalist in {PROMOTED}, or "
                "give the match a profile with another test split."
            )

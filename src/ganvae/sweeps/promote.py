"""Turn a trial of a sweep into a variant. The pipeline then trains the variant from other seeds."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganvae.config import ModelConfig, Params, Promotion, load_params, read_yaml
from ganvae.config.promotions import PROMOTED
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.limits import LARGEST_SEED
from ganvae.models.registry import system_names
from ganvae.report.numbers import fixed, listed
from ganvae.scores.rankable import BASELINES
from ganvae.scores.studies import RECORD, SWEEPS, StudyRecord, TrialRecord, read_study
from ganvae.sweeps.front import pareto_front
from ganvae.sweeps.space import applied
from ganvae.sweeps.variant import Variant, turn_to_promote, write_variant

PARAMS = Path("params.yaml")


def promote(study: str, number: int | None, variant: str | None, seeds: Sequence[int]) -> str:
    """Write a trial's parameters as a new variant into the promotions file of the study's profile.

    The promotions file (promoted.yaml) lists variants that come from sweeps. An earlier promoted
    variant of the same name is replaced. params.yaml is not changed.

    Args:
        study: the study's name.
        number: the number of the trial; by default the trial with the lowest FID.
        variant: the name of the new variant; by default the study's variant with ``-swept``.
        seeds: the random seeds that the new variant is trained from.

    Returns:
        Lines for the user: the change, notes, and the command to run next.

    Raises:
        UserError: the study or the trial does not exist, or the trial has no score.
        ConfigError: the name is taken, the study trained from one of the seeds, the system rejects
            the parameters, or the promotions file is invalid.
    """
    record = _read_record(study)
    trial = _choose(record, number)
    variant = variant or f"{record.variant}-swept"
    path = _params_file(record)
    _check_seeds(seeds, record)
    config = _config(record, trial)
    promotion = Promotion(
        study=record.study,
        trial=trial.number,
        fid_judge_validation=_rounded(trial.values[0]),
        seeds=record.seeds,
    )
    with turn_to_promote(path):
        params = load_params(path)
        _check_name(variant, params, record)
        changed = write_variant(path, Variant(variant, record.system, config, seeds, promotion))
    file, fid = path.with_name(PROMOTED), fixed(trial.values[0], 2)
    origin = f"trial {trial.number} of study {record.study!r} (FID {fid} on the validation split)"
    if not changed:
        return f"{file}: {variant} already has the parameters of {origin}; no change"
    pipeline = "" if path == PARAMS else f" {path.with_name('dvc.yaml')}"
    return "\n".join(
        [
            f"{file}: {variant} has the parameters of {origin}; training seeds: "
            f"{', '.join(map(str, seeds))}",
            *_remarks(record, trial, config, params),
            f"`ganvae repro{pipeline}` trains these runs, and skips runs that are up to date",
        ]
    )


def read_seeds(text: str) -> list[int]:
    """Parse seeds from text such as ``0,1,2``.

    Raises:
        ConfigError: the text has another form, or a seed is repeated or too large.
    """
    parts = [part.strip() for part in text.split(",")]
    digits = len(str(LARGEST_SEED))
    seeds = [int(part) for part in parts if part.isdecimal() and len(part) <= digits]
    if len({seed for seed in seeds if seed <= LARGEST_SEED}) < len(parts):
        raise ConfigError(
            f"--seeds {text} is not a list of different whole numbers up to {LARGEST_SEED}. Give "
            "numbers separated by commas, for example 0,1,2."
        )
    return seeds


def _read_record(study: str) -> StudyRecord:
    path = SWEEPS / study / RECORD
    if not path.exists():
        names = ", ".join(sorted(record.parent.name for record in SWEEPS.glob(f"*/{RECORD}")))
        raise UserError(
            f"study {study!r} has no record {path} (studies with a record: {names or 'none'}). "
            f"Run `ganvae sweep report --study {study}` to write this record."
        )
    return read_study(path)


def _choose(record: StudyRecord, number: int | None) -> TrialRecord:
    """Return the trial with this number; by default the best trial.

    Raises:
        UserError: the trial does not exist or has no score. Or ``number`` is None and the study has
            two objectives, so no single trial is the best.
    """
    study = f"study {record.study!r}"
    if record.best is None:
        raise UserError(f"{study} has no trial with a score, so there is nothing to promote.")
    if number is None:
        if len(record.objectives) > 1:
            front = "; ".join(_described(record, trial) for trial in pareto_front(record))
            raise UserError(
                f"{study} has two objectives, so no single trial is the best. Choose a trial with "
                f"--trial. Trials on the Pareto front: {front}."
            )
        return record.best
    trial = next((trial for trial in record.trials if trial.number == number), None)
    if trial is None:
        numbers = [trial.number for trial in record.trials]
        raise UserError(
            f"{study} has no trial {number} in its record. The record has trials {min(numbers)} to "
            f"{max(numbers)}. If trial {number} finished later, add it to the record with "
            f"`ganvae sweep report --study {record.study}`."
        )
    if not trial.values:
        raise UserError(
            f"trial {number} of {study} has no score (status: {trial.status}). Promote another "
            f"trial. The trial with the lowest FID is trial {record.best.number}."
        )
    return trial


def _described(record: StudyRecord, trial: TrialRecord) -> str:
    values = zip(record.objectives, trial.values, strict=True)
    described = ", ".join(f"{name} {fixed(value, 2)}" for name, value in values)
    return f"trial {trial.number} ({described})"


def _params_file(record: StudyRecord) -> Path:
    """Return the path of the params.yaml of the study's profile.

    Raises:
        UserError: this clone does not have the profile.
    """
    profile_file = Path("profiles") / record.profile / PARAMS
    for path in (PARAMS, profile_file):
        if path.exists() and read_yaml(path).get("profile") == record.profile:
            return path
    raise UserError(
        f"study {record.study!r} belongs to profile {record.profile!r}, but neither {PARAMS} nor "
        f"{profile_file} has this profile. Run this command in the clone that has the profile."
    )


def _check_name(variant: str, params: Params, record: StudyRecord) -> None:
    if not re.fullmatch("[a-z][a-z0-9-]*", variant):
        raise ConfigError(
            f"--as {variant} is not a valid name. Use lower-case letters, digits and hyphens, and "
            "begin with a letter."
        )
    reserved = variant in system_names() or variant in BASELINES
    if reserved or (variant in params.variants and variant not in params.promoted):
        raise ConfigError(
            f"--as {variant} is already the name of a system, of a baseline, or of a variant that "
            "was not promoted. Choose another name."
        )
    if variant in params.promoted and params.system(variant) != record.system:
        raise ConfigError(
            f"--as {variant} is a variant of system {params.system(variant)}, but study "
            f"{record.study!r} searched system {record.system}. Choose another name."
        )


def _check_seeds(seeds: Sequence[int], record: StudyRecord) -> None:
    used = [str(seed) for seed in seeds if seed in record.seeds]
    if used:
        raise ConfigError(
            f"--seeds has {listed(used)}, but study {record.study!r} already trained its trials "
            "from these seeds, and chose the best trial by the results. Give other seeds."
        )


def _config(record: StudyRecord, trial: TrialRecord) -> ModelConfig:
    """Return the trial's full configuration; real numbers are rounded to six significant digits."""
    parameters = {name: _rounded(value) for name, value in trial.parameters.items()}
    updates = record.budget == "updates"
    return applied(record.system, record.base, parameters, updates=updates)


def _rounded(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _remarks(
    record: StudyRecord, trial: TrialRecord, config: ModelConfig, params: Params
) -> list[str]:
    """Return notes for the user about this promotion."""
    remarks = []
    if params.variants.get(record.variant) != record.base:
        remarks.append(
            f"note: variants.{record.variant} has changed since the study was created. The "
            "promoted variant builds on the earlier parameters."
        )
    if config == applied(record.system, record.base, {}):
        remarks.append(
            f"note: this trial has the same parameters as {record.variant} before the sweep"
        )
    if trial.status == "collapsed":
        remarks.append(
            "note: this trial collapsed. For at least one seed, nearly all samples have one class."
        )
    return remarks

"""A trial of a sweep becomes a variant in params.yaml, to be trained from other seeds."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganvae.config import ModelConfig, Params, Promotion, load_params, read_yaml
from ganvae.config.params import PROMOTED
from ganvae.core.errors import ConfigError, UserError
from ganvae.models.registry import system_names
from ganvae.report.numbers import fixed, listed
from ganvae.scores.rankable import PLACES
from ganvae.scores.studies import RECORD, SWEEPS, StudyRecord, TrialRecord, read_study
from ganvae.sweeps.front import pareto_front
from ganvae.sweeps.space import applied
from ganvae.sweeps.variant import Variant, write_variant

PARAMS = Path("params.yaml")


def promote(study: str, number: int | None, variant: str | None, seeds: Sequence[int]) -> str:
    """Write a trial as a variant into the promotions' file of the study's profile.

    A variant that was promoted before is replaced. params.yaml is not changed.

    Args:
        number: the trial; by default the one of the best FID.
        variant: its name; by default the model's with ``-swept``.
        seeds: what it is to be trained from.

    Returns:
        What was done and what to run, in lines.

    Raises:
        UserError: no such study or trial, or the trial has no score.
        ConfigError: the name is taken, the study trained from one of the seeds, the model refuses
            the parameters, or the file cannot be added to.
    """
    record = _read_record(study)
    trial = _choose(record, number)
    variant = variant or f"{record.variant}-swept"
    path = _params_file(record)
    params = load_params(path)
    _check_name(variant, params, record)
    _check_seeds(seeds, record)
    config = _config(record, trial)
    promotion = Promotion(
        study=record.study,
        trial=trial.number,
        fid_judge_validation=_rounded(trial.values[0]),
        seeds=record.seeds,
    )
    changed = write_variant(path, Variant(variant, record.system, config, seeds, promotion))
    fid, of = fixed(trial.values[0], 2), f"trial {trial.number} of study {record.study!r}"
    done = f"{path.with_name(PROMOTED)}: {variant} is {of} (FID on validation {fid})"
    if not changed:
        return f"{done} already; nothing has changed"
    pipeline = "" if path == PARAMS else f" {path.with_name('dvc.yaml')}"
    return "\n".join(
        [
            f"{done}; training seeds: {', '.join(map(str, seeds))}",
            *_remarks(record, trial, config, params),
            f"`ganvae repro{pipeline}` trains these runs, and no others that are up to date",
        ]
    )


def read_seeds(text: str) -> list[int]:
    """Seeds from ``0,1,2``.

    Raises:
        ConfigError: something else, or one twice.
    """
    seeds = [int(part) for part in text.split(",") if part.strip().isdecimal()]
    if len(set(seeds)) < len(text.split(",")):
        raise ConfigError(f"--seeds {text}: expected whole numbers with commas, each once: 0,1,2.")
    return seeds


def _read_record(study: str) -> StudyRecord:
    path = SWEEPS / study / RECORD
    if not path.exists():
        there = ", ".join(sorted(found.parent.name for found in SWEEPS.glob(f"*/{RECORD}")))
        raise UserError(
            f"no record of study {study!r} ({path}); there are: {there or 'none'}. Run `ganvae "
            f"sweep report --study {study}` first, which writes it."
        )
    return read_study(path)


def _choose(record: StudyRecord, number: int | None) -> TrialRecord:
    """The trial of this number, or the best one.

    Raises:
        UserError: it is not there, has no score, or there is no best one.
    """
    study = f"study {record.study!r}"
    if record.best is None:
        raise UserError(f"{study} has no trial with a score: there is nothing to promote.")
    if number is None:
        if len(record.objectives) > 1:
            front = "; ".join(_described(record, trial) for trial in pareto_front(record))
            raise UserError(
                f"{study} has two objectives: choose with --trial. On its Pareto front: {front}."
            )
        return record.best
    trial = next((trial for trial in record.trials if trial.number == number), None)
    if trial is None:
        numbers = [trial.number for trial in record.trials]
        raise UserError(
            f"{study} has no finished trial {number}, they go from {min(numbers)} to "
            f"{max(numbers)}: `ganvae sweep report --study {record.study}` adds those run since."
        )
    if not trial.values:
        raise UserError(
            f"trial {number} of {study} has no score ({trial.status}): promote another, for "
            f"example the best one, {record.best.number}."
        )
    return trial


def _described(record: StudyRecord, trial: TrialRecord) -> str:
    values = zip(record.objectives, trial.values, strict=True)
    described = ", ".join(f"{name} {fixed(value, 2)}" for name, value in values)
    return f"trial {trial.number} ({described})"


def _params_file(record: StudyRecord) -> Path:
    """The params.yaml of the study's profile."""
    of_profile = Path("profiles") / record.profile / PARAMS
    for path in (PARAMS, of_profile):
        if path.exists() and read_yaml(path).get("profile") == record.profile:
            return path
    raise UserError(
        f"study {record.study!r} is of profile {record.profile!r}, which neither {PARAMS} nor "
        f"{of_profile} is: run this in the clone that has it."
    )


def _check_name(variant: str, params: Params, record: StudyRecord) -> None:
    if not re.fullmatch("[a-z][a-z0-9-]*", variant):
        raise ConfigError(f"--as {variant}: expected small letters, digits and hyphens.")
    own = variant in system_names() or variant in PLACES
    if own or (variant in params.variants and variant not in params.promoted):
        raise ConfigError(
            f"--as {variant}: there is a model of this name that was not promoted: give another."
        )
    if variant in params.promoted and params.system(variant) != record.system:
        raise ConfigError(
            f"--as {variant}: is a variant of {params.system(variant)}, and study {record.study!r} "
            f"is of {record.system}: give another name."
        )


def _check_seeds(seeds: Sequence[int], record: StudyRecord) -> None:
    used = [str(seed) for seed in seeds if seed in record.seeds]
    if used:
        raise ConfigError(
            f"--seeds: study {record.study!r} trained from {listed(used)}: give others, since its "
            "trials were chosen by what those came to."
        )


def _config(record: StudyRecord, trial: TrialRecord) -> ModelConfig:
    """The trial's parameters, whole, with reals of six digits."""
    parameters = {name: _rounded(value) for name, value in trial.parameters.items()}
    updates = record.budget == "updates"
    return applied(record.system, record.base, parameters, updates=updates)


def _rounded(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _remarks(
    record: StudyRecord, trial: TrialRecord, config: ModelConfig, params: Params
) -> list[str]:
    """What to know of a promotion."""
    remarks = []
    if params.variants.get(record.variant) != record.base:
        remarks.append(
            f"note: variants.{record.variant} has changed since the study was made; the promoted "
            "variant builds on it as it was then"
        )
    if config == applied(record.system, record.base, {}):
        remarks.append(f"note: these are the parameters that {record.variant} had before the sweep")
    if trial.status == "collapsed":
        remarks.append("note: of one seed at least all samples of this trial were of one class")
    return remarks

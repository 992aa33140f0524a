"""Create a study once, and load it in any number of workers."""

import hashlib
import json
import re
import time
import warnings
from pathlib import Path
from typing import Any

import optuna
from optuna import Study
from optuna.exceptions import DuplicatedStudyError, ExperimentalWarning
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, WilcoxonPruner
from optuna.samplers import TPESampler
from optuna.study import StudyDirection
from optuna.trial import TrialState

from ganvae.config import Params, Section, load_params, parse
from ganvae.core import compute
from ganvae.core.errors import ConfigError, DataError, UserError
from ganvae.core.files import sha256
from ganvae.core.paths import ProfilePaths
from ganvae.data.store import read_split
from ganvae.evaluation.validation import read_validation
from ganvae.judge.network import FrozenJudge
from ganvae.models.registry import system_class
from ganvae.sweeps.space import (
    PrunerConfig,
    Sweep,
    check_ranges,
    current_values,
    read_sweep,
)
from ganvae.sweeps.storage import explained, open_storage, shown

SETTINGS = "ganvae"
PER_MILLE = 1000
CURRENT = "current"

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
"""The pattern of a study's name. The name is also used for folders."""

MAKING_SECONDS = 10.0
"""Seconds after which this process completes a study that another process began to create."""

warnings.filterwarnings("ignore", category=ExperimentalWarning)


class Settings(Section):
    """A study's settings, stored in the study. A worker needs only these settings and the data.

    The three checksums identify the data and the judge (the classifier behind FID) of the study.
    """

    space: str
    sweep: Sweep
    variant: str
    system: str
    profile: str
    params_file: str
    dataset: str
    base: dict[str, Any]
    train_sha256: str
    validation_sha256: str
    judge_sha256: str

    @property
    def digest(self) -> str:
        """The settings' checksum, 12 hexadecimal digits.

        The digest distinguishes studies that have, or had, the same name in different storages.
        """
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


def create_study(name: str, url: str, space: str, variant: str | None, params_file: Path) -> str:
    """Create a study, unless it exists already. The first trial has the variant's own parameters.

    Args:
        name: the study's name.
        url: the URL of the storage.
        space: the name of a sweep in `sweeps/`, or the path of a YAML file.
        variant: a variant in the params file; by default the sweep's first system.
        params_file: the profile's params.yaml.

    Returns:
        A line for the user: the study was created, or exists already.

    Raises:
        ConfigError: the sweep or the name is invalid, or the system rejects a range.
        UserError: another study has this name, or the data are not prepared.
        StorageError: the storage cannot be reached or written.
    """
    if not re.fullmatch(NAME, name):
        raise ConfigError(
            f"--study {name!r} is not a valid name. Use only letters, digits, dots, hyphens and "
            "underscores."
        )
    settings = _settings(space, variant, load_params(params_file))
    what = (
        f"study {name!r} of variant {settings.variant} (search space {settings.space}) at "
        f"{shown(url)}"
    )
    with explained(url):
        storage = open_storage(url, create=True)
        try:
            study = optuna.create_study(
                study_name=name, storage=storage, directions=_directions(settings)
            )
        except DuplicatedStudyError:
            study = optuna.load_study(study_name=name, storage=storage)
            existing = _wait_for_settings(study)
            if existing == settings:
                return f"{what} exists already"
            if existing is not None:
                raise UserError(
                    f"study {name!r} exists already, with other settings: it searches parameters "
                    f"of variant {existing.variant} in search space {existing.space}. The settings "
                    f"differ in: {_differences(existing, settings)}. Give another --study."
                ) from None
            _check_begun(study, settings)
        study.set_metric_names(list(settings.sweep.objectives))
        if not study.get_trials(deepcopy=False):
            _enqueue_current(study, settings)
        study.set_user_attr(SETTINGS, settings.model_dump(mode="json"))
    return (
        f"{what} is created. `ganvae sweep worker` with the same --study and --storage runs the "
        "trials of this study."
    )


def load_study(name: str, url: str) -> tuple[Study, Settings]:
    """Load a study that `create_study` created, with its settings.

    Raises:
        UserError: the study does not exist, or its creation is not complete.
        StorageError: the storage cannot be reached or read.
    """
    with explained(url):
        storage = open_storage(url, create=False)
        names = sorted(study.study_name for study in storage.get_all_studies())
        if name not in names:
            raise UserError(
                f"there is no study {name!r} at {shown(url)} (existing studies: "
                f"{', '.join(names) or 'none'}). Create this study with `ganvae sweep create`."
            )
        bare = optuna.load_study(study_name=name, storage=storage)
        settings = settings_of(bare)
        study = optuna.load_study(
            study_name=name,
            storage=storage,
            sampler=TPESampler(multivariate=True, group=True),
            pruner=_pruner(settings.sweep.pruner),
        )
    return study, settings


def settings_of(study: Study) -> Settings:
    """Return the settings that a study was created with.

    Raises:
        UserError: another program created the study, or the study's creation is not complete.
    """
    try:
        values = study.user_attrs[SETTINGS]
    except KeyError:
        raise UserError(
            f"study {study.study_name!r} was not created by `ganvae sweep create`, or its creation "
            "did not finish. Run `ganvae sweep create` again, or give another --study."
        ) from None
    return parse(Settings, values, f"study {study.study_name}")


def _settings(space: str, variant: str | None, params: Params) -> Settings:
    sweep = read_sweep(space)
    variant = variant or next(iter(sweep.systems))
    if variant not in params.variants:
        raise ConfigError(f"{params.file} has no variant {variant!r}. Give another --variant.")
    system, base = params.system(variant), params.variants[variant]
    system_class(system)
    check_ranges(sweep.ranges(system, space), system, base, updates=sweep.budget == "updates")
    check_prepared(params)
    paths = ProfilePaths(params.profile)
    judge = FrozenJudge(Path(params.judge), compute.use(params.compute))
    validation = read_validation(paths.validation_features, judge)
    validation.check_enough(sweep.n_generated)
    return Settings(
        space=Path(space).stem,
        sweep=sweep,
        variant=variant,
        system=system,
        profile=params.profile,
        params_file=params.file,
        dataset=read_split(paths.split("train")).dataset,
        base=json.loads(json.dumps(base)),
        train_sha256=sha256(paths.split("train")),
        validation_sha256=validation.data_sha256,
        judge_sha256=judge.sha256,
    )


def check_prepared(params: Params) -> None:
    """Check that all files that a sweep reads exist.

    Raises:
        DataError: a file is missing; the message names the command that creates the file.
    """
    paths = ProfilePaths(params.profile)
    for path in (paths.split("train"), Path(params.judge), paths.validation_features):
        if not path.exists():
            pipeline = Path(params.file).with_name("dvc.yaml")
            stage = "reference" if len(pipeline.parts) == 1 else f"{pipeline}:reference"
            raise DataError(
                f"{path} is missing. Run `dvc repro {stage}`, which prepares data for sweeps."
            )


def _directions(settings: Settings) -> list[StudyDirection]:
    return [StudyDirection.MINIMIZE] * len(settings.sweep.objectives)


def _wait_for_settings(study: Study) -> Settings | None:
    """Wait for the settings of a study that another process may still be creating.

    Returns:
        The settings, or None if the study has no settings after `MAKING_SECONDS`.
    """
    deadline = time.monotonic() + MAKING_SECONDS
    while SETTINGS not in study.user_attrs:
        if time.monotonic() > deadline:
            return None
        time.sleep(0.1)
    return settings_of(study)


def _check_begun(study: Study, settings: Settings) -> None:
    """Check that a study without settings was begun by `create_study`.

    Raises:
        UserError: another program created the study, or may have created it.
    """
    trials = study.get_trials(deepcopy=False)
    ours = all(CURRENT in t.user_attrs and t.state == TrialState.WAITING for t in trials)
    if study.directions != _directions(settings) or not ours:
        raise UserError(
            f"study {study.study_name!r} exists, but was not created by `ganvae sweep create`. "
            "Give another --study."
        )


def _enqueue_current(study: Study, settings: Settings) -> None:
    """Queue a first trial with the variant's current parameters.

    A parameter whose current value is outside its range is left out, so the trial draws a value.
    """
    ranges = settings.sweep.ranges(settings.system)
    current, outside = {}, False
    for name, value in current_values(ranges, settings.system, settings.base):
        if not ranges[name].allows(value):
            print(
                f"note: the current value of {name}, {value}, is outside the searched range. "
                "So the first trial draws a value from the range."
            )
            outside = True
            continue
        if ranges[name].or_off:
            current[switch(name)] = value is not None
        if value is not None or ranges[name].choices is not None:
            current[name] = value
    study.enqueue_trial(current, user_attrs={CURRENT: not outside})


def switch(name: str) -> str:
    """Return the name of the Optuna parameter that says whether the parameter ``name`` is on."""
    return f"{name}?"


def _pruner(config: PrunerConfig | None) -> BasePruner:
    match config:
        case PrunerConfig(name="median"):
            return MedianPruner(n_startup_trials=config.startup_trials)
        case PrunerConfig(name="hyperband"):
            return HyperbandPruner(
                min_resource=round(config.checks[0] * PER_MILLE),
                max_resource=PER_MILLE,
                reduction_factor=2,
            )
        case PrunerConfig(name="wilcoxon"):
            return WilcoxonPruner(p_threshold=config.p)
        case _:
            return NopPruner()


def _differences(existing: Settings, wanted: Settings) -> str:
    return ", ".join(name for name, value in existing if value != getattr(wanted, name))

"""Run one trial: train from each seed, and measure FID on the validation split.

No function here opens the test split.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from optuna import Trial, TrialPruned
from optuna.storages import RetryHeartbeatStaleTrialCallback
from torch import Tensor

from ganvae.config import ModelConfig, load_params
from ganvae.core import compute
from ganvae.core.compute import Machine
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import read_json, remove_folder, sha256, write_json
from ganvae.core.images import NotFiniteError
from ganvae.core.paths import ProfilePaths
from ganvae.data.store import read_split
from ganvae.evaluation.validation import Validation, ValidationScore, read_validation
from ganvae.judge.network import FrozenJudge
from ganvae.models.base import GenerativeModel
from ganvae.sweeps.space import Range, applied
from ganvae.sweeps.study import PER_MILLE, Settings, check_prepared, switch
from ganvae.training.history import Row
from ganvae.training.runs import STATE
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import Cadence, train


class Seed(NamedTuple):
    """The result of one seed of a trial: its score, and its training time in seconds."""

    score: ValidationScore
    seconds: float


@dataclass(frozen=True)
class Objective:
    """The function that Optuna minimises. A call with a trial returns the trial's values.

    A call raises `TrialPruned` if the trial is pruned or diverges, or if the system rejects the
    combination of parameters. The trial's attribute ``status`` names the reason.
    """

    study: str
    settings: Settings
    images: Tensor
    validation: Validation
    machine: Machine

    def __call__(self, trial: Trial) -> list[float]:
        work = STATE / "sweeps" / self.study / self.settings.digest / str(_first_attempt(trial))
        try:
            values = self._values(trial, work)
        except TrialPruned:
            _remove(work)
            raise
        _remove(work)  # after an interrupt, the folder stays: the next attempt resumes there
        return values

    def _values(self, trial: Trial, work: Path) -> list[float]:
        config = self._config(trial)
        seeds: dict[int, Seed] = {}
        last = self.settings.sweep.seeds[-1]
        for position, seed in enumerate(self.settings.sweep.seeds):
            seeds[seed] = self._seed(trial, config, seed, work, first=position == 0)
            trial.set_user_attr("seeds", {s: result.score.fid_judge for s, result in seeds.items()})
            trial.set_user_attr("seconds", sum(result.seconds for result in seeds.values()))
            if self._prunes("seed"):
                trial.report(seeds[seed].score.fid_judge, position)
                if seed != last:  # after the last seed, pruning saves nothing
                    _give_up_if_told(trial)
        collapsed = any(result.score.classes == 1 for result in seeds.values())
        trial.set_user_attr("status", "collapsed" if collapsed else "completed")
        means = {
            "fid_judge": fmean(result.score.fid_judge for result in seeds.values()),
            "train_seconds": fmean(result.seconds for result in seeds.values()),
        }
        return [means[name] for name in self.settings.sweep.objectives]

    def _config(self, trial: Trial) -> ModelConfig:
        settings = self.settings
        updates = settings.sweep.budget == "updates"
        try:
            parameters = dict(suggested(trial, settings))
            return applied(settings.system, settings.base, parameters, updates=updates)
        except ConfigError as error:
            raise _ended(trial, "failed", str(error)) from None

    def _seed(
        self, trial: Trial, config: ModelConfig, seed: int, work: Path, *, first: bool
    ) -> Seed:
        """Train from a seed and score the model, without repeating work of an earlier attempt.

        Args:
            work: the trial's folder, which keeps the files of earlier attempts.
            first: whether this seed is the sweep's first seed, which the pruner may check.
        """
        settings = self.settings
        name = f"trial {trial.number}, {settings.variant}"
        spec = RunSpec(settings.system, config, seed, self.machine, name)
        folder = work / spec.fingerprint(settings.train_sha256)
        done = folder / "seed.json"
        curve = (
            Curve(self, trial, seed, folder, config) if first and self._prunes("curve") else None
        )
        if done.exists():
            saved = read_json(done)
            return Seed(ValidationScore(**saved["score"]), saved["seconds"])
        result = train(spec, self.images, folder, curve.watch if curve else None)
        if result.reason:
            raise _ended(trial, "diverged", result.reason, result.seconds)
        try:
            score = self.score(result.model, seed)
        except NotFiniteError as error:
            raise _ended(trial, "diverged", str(error), result.seconds) from None
        write_json(done, {"score": vars(score), "seconds": result.seconds})
        return Seed(score, result.seconds)

    def score(self, model: GenerativeModel, seed: int) -> ValidationScore:
        """Return the score, with FID, of a model on the validation split.

        Args:
            model: the model, trained from ``seed``.
        """
        return self.validation.score(model, n=self.settings.sweep.n_generated, seed=seed)

    def _prunes(self, by: str) -> bool:
        pruner = self.settings.sweep.pruner
        return pruner is not None and pruner.by == by


class Curve:
    """Measures FID of a trial's first seed at the pruner's checks, and prunes trials with high FID.

    If a killed worker measured FIDs of this trial before, these FIDs are read from a file and
    reported to the pruner again.
    """

    def __init__(
        self, objective: Objective, trial: Trial, seed: int, folder: Path, config: ModelConfig
    ) -> None:
        self._objective = objective
        self._trial = trial
        self._seed = seed
        self._file = folder / "curve.json"
        self._config = config
        self._measured: dict[str, float] = read_json(self._file) if self._file.exists() else {}
        pruner = objective.settings.sweep.pruner
        assert pruner is not None
        self._checks = [round(share * PER_MILLE) for share in pruner.checks]
        for moment, fid in self._measured.items():
            self._report(int(moment), fid)

    def watch(self, step: int, row: Row, model: GenerativeModel) -> None:
        """Measure FID if a check is due.

        Raises:
            TrialPruned: the pruner gives up the trial.
        """
        cadence = Cadence(
            self._config.schedule, model.real_images_per_step, len(self._objective.images)
        )
        reached = [moment for moment in self._checks if step >= moment / PER_MILLE * cadence.total]
        if not reached or str(reached[-1]) in self._measured:
            return
        fid = self._objective.score(model, self._seed).fid_judge
        self._measured[str(reached[-1])] = fid
        write_json(self._file, self._measured)
        self._report(reached[-1], fid)

    def _report(self, moment: int, fid: float) -> None:
        self._trial.report(fid, moment)
        _give_up_if_told(self._trial)


def suggested(trial: Trial, settings: Settings) -> Iterator[tuple[str, Any]]:
    """Yield each parameter's dotted name and the trial's value; None if the parameter is off.

    Raises:
        ConfigError: the trial was queued with a value outside the space.
    """
    for name, range_ in settings.sweep.ranges(settings.system).items():
        value = _suggestion(trial, name, range_)
        if not range_.allows(value):
            raise ConfigError(f"{name} is {value}, which is outside the searched range")
        yield name, value


def _suggestion(trial: Trial, name: str, range_: Range) -> Any:
    try:
        if range_.choices is not None:
            return trial.suggest_categorical(name, range_.choices)
        if range_.or_off and not trial.suggest_categorical(switch(name), [True, False]):
            return None
        if range_.whole:
            low, high = range_.bounds
            return trial.suggest_int(name, int(low), int(high), log=range_.log)
        return trial.suggest_float(name, *range_.bounds, log=range_.log)
    except (TypeError, ValueError) as error:  # Optuna's, for a queued value of another kind
        raise ConfigError(f"{name} has a value outside the searched range ({error})") from None


def make_objective(study: str, settings: Settings) -> Objective:
    """Load the training images and the judge's features of the validation split for a worker.

    Raises:
        DataError: the data are not prepared.
        UserError: the data or the judge have changed since the study was created.
    """
    params = load_params(Path(settings.params_file))
    check_prepared(params)
    paths = ProfilePaths(settings.profile)
    machine = compute.use_to_train(params.compute)
    judge = FrozenJudge(Path(params.judge), machine.device)
    validation = read_validation(paths.validation_features, judge)
    checksums = {
        paths.split("train"): (sha256(paths.split("train")), settings.train_sha256),
        paths.validation_features: (validation.data_sha256, settings.validation_sha256),
        Path(params.judge): (judge.sha256, settings.judge_sha256),
    }
    for path, (actual, expected) in checksums.items():
        if actual != expected:
            raise UserError(
                f"{path} has changed since study {study!r} was created (checksum {actual[:12]} "
                f"instead of {expected[:12]}). So new trials could not be compared with earlier "
                "trials. Create another study."
            )
    images = read_split(paths.split("train")).images
    return Objective(study, settings, images, validation, machine)


def _remove(work: Path) -> None:
    with suppress(OSError):  # folders of other running trials remain
        remove_folder(work)
        work.parent.rmdir()
        work.parent.parent.rmdir()


def _first_attempt(trial: Trial) -> int:
    """Return the number of the trial, or of the first trial that this trial retries."""
    frozen = trial.study.get_trials(deepcopy=False)[trial.number]
    first = RetryHeartbeatStaleTrialCallback.retried_trial_number(frozen)
    return trial.number if first is None else first


def _give_up_if_told(trial: Trial) -> None:
    if trial.should_prune():
        raise _ended(trial, "pruned", None)


def _ended(trial: Trial, status: str, reason: str | None, seconds: float = 0.0) -> TrialPruned:
    trial.set_user_attr("status", status)
    trial.set_user_attr("reason", reason)
    if seconds:
        before = trial.user_attrs.get("seconds", 0.0)
        trial.set_user_attr("seconds", before + seconds)
    return TrialPruned()

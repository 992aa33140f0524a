"""What became of a hyperparameter sweep, as files in `results/sweeps/`; knows no Optuna."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ganvae.core.files import read_json, write_json
from ganvae.core.records import Record, parse_record

SWEEPS = Path("results/sweeps")
"""One folder a study, its record in `RECORD`."""

RECORD = "study.json"

Objective = Literal["fid_judge", "train_seconds"]
"""What trials are judged by; of both less is better. FID is that on the validation split."""

TrialStatus = Literal["completed", "collapsed", "diverged", "pruned", "lost", "failed"]
"""``lost``: its worker was killed; another trial with the same parameters has taken its place.
``failed``: the model refused its parameters."""

Value = bool | int | float | str | None


class TrialRecord(Record):
    """One setting that was tried.

    ``parameters`` are those searched, by dotted name as in a model's section of params.yaml.
    ``values``, one an objective, are there if ``status`` is completed or collapsed. ``seeds`` has
    the FID by training seed, ``curve`` the FID of the first seed by the share of its schedule that
    was trained (per mille). ``seconds`` is the training time of the seeds that came to their end;
    ``started`` and ``finished`` are Unix times. ``current``: the model's parameters as they were
    before the sweep. ``retry_of``: the lost trial that it takes the place of.
    """

    number: int
    status: TrialStatus
    reason: str | None = None
    parameters: dict[str, Value]
    values: list[float] = Field(default=[])
    seeds: dict[int, float] = Field(default={})
    curve: dict[int, float] = Field(default={})
    seconds: float = 0.0
    started: float
    finished: float
    current: bool = False
    retry_of: int | None = None


class StudyRecord(Record):
    """A study and its finished trials.

    ``model`` is the entry of ``models`` in the profile's params.yaml that was searched around, and
    ``base`` its section there; ``space`` the name of the YAML file it was made from and
    ``parameters`` the ranges in it; with ``budget: updates`` each trial's schedule was fitted to
    the base's number of turns of D and G. The checksums are those of the training split and of
    what FID was measured against: the validation split, in the judge's features.
    """

    study: str
    space: str
    variant: str
    system: str
    family: str
    profile: str
    dataset: str
    objectives: list[Objective] = Field(min_length=1)
    seeds: list[int]
    n_generated: int
    budget: Literal["steps", "updates"]
    base: dict[str, Any]
    parameters: dict[str, Any]
    pruner: dict[str, Any] | None
    train_sha256: str
    validation_sha256: str
    judge_sha256: str
    trials: list[TrialRecord]

    @property
    def scored(self) -> list[TrialRecord]:
        """The trials that have values, in the order they were started."""
        return [trial for trial in self.trials if trial.values]

    @property
    def best(self) -> TrialRecord | None:
        """The trial of the least first objective, if any has one."""
        return min(self.scored, key=lambda trial: trial.values[0], default=None)

    @property
    def current(self) -> TrialRecord | None:
        """The scored trial of the parameters as they were before the sweep."""
        return next((trial for trial in self.scored if trial.current), None)


def write_study(root: Path, record: StudyRecord) -> Path:
    """Write a study's record under ``root``, atomically, and return its folder."""
    folder = root / SWEEPS / record.study
    write_json(folder / RECORD, record.model_dump(mode="json"))
    return folder


def read_study(path: Path) -> StudyRecord:
    """Read a study's record.

    Raises:
        UserError: the file is missing or is none.
    """
    remedy = "`ganvae sweep report` writes it again."
    return parse_record(StudyRecord, read_json(path), path, remedy)


def read_studies(root: Path, profile: str | None = None) -> list[StudyRecord]:
    """All studies under ``root``, or those of a profile, by name."""
    records = [read_study(path) for path in sorted((root / SWEEPS).glob(f"*/{RECORD}"))]
    return [record for record in records if profile in (None, record.profile)]

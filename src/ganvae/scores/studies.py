"""Records of hyperparameter sweeps: files in `results/sweeps/` that can be read without Optuna."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ganvae.core.files import read_json, write_json
from ganvae.core.records import Record, parse_record

SWEEPS = Path("results/sweeps")
"""The folder of all studies. Each study has its own folder, with a record in the file `RECORD`."""

RECORD = "study.json"

Objective = Literal["fid_judge", "train_seconds"]
"""A quantity that a sweep minimises. FID is measured on the validation split."""

TrialStatus = Literal["completed", "collapsed", "diverged", "pruned", "lost", "failed"]
"""The result of a trial.

``pruned``: the trial was stopped early. ``lost``: the process that ran the trial was killed, and
another trial with the same parameters replaced the lost trial. ``failed``: the model rejected the
parameters.
"""

Value = bool | int | float | str | None


class TrialRecord(Record):
    """One trial of a study: the training of a variant with one choice of parameters.

    Attributes:
        parameters: a mapping from dotted name to value of the searched parameters. The names are
            those in a variant's section of params.yaml.
        values: one value per objective, if ``status`` is completed or collapsed.
        seeds: a mapping from training seed to FID on the validation split.
        curve: FID of the first seed during training. The keys are the completed shares of the
            training schedule, in per mille.
        seconds: the sum of the training times of all seeds that finished training, in seconds.
        started, finished: Unix times, in seconds.
        current: whether the parameters equal the variant's parameters before the sweep.
        retry_of: the number of the lost trial that this trial replaces.
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

    Attributes:
        space: the name of the YAML file with the search space.
        variant: the variant in the profile's params.yaml that the study started from.
        base: the section of ``variant`` in params.yaml.
        budget: with ``steps``, every trial has the variant's number of training steps. With
            ``updates``, the schedule of every trial gives the variant's number of updates of the
            discriminator and the generator.
        parameters: a mapping from the dotted name of a searched parameter to its range.
        train_sha256: the checksum of the training split.
        validation_sha256: the checksum of the validation split, on which FID was measured.
        judge_sha256: the checksum of the judge that measured FID.
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
        """The trials that have values, ordered by start time."""
        return [trial for trial in self.trials if trial.values]

    @property
    def best(self) -> TrialRecord | None:
        """The trial with the smallest first objective, or None if no trial has values."""
        return min(self.scored, key=lambda trial: trial.values[0], default=None)

    @property
    def current(self) -> TrialRecord | None:
        """The scored trial with the variant's parameters from before the sweep, or None."""
        return next((trial for trial in self.scored if trial.current), None)


def write_study(root: Path, record: StudyRecord) -> Path:
    """Write a study's record under ``root`` atomically, and return the study's folder."""
    folder = root / SWEEPS / record.study
    write_json(folder / RECORD, record.model_dump(mode="json"))
    return folder


def read_study(path: Path) -> StudyRecord:
    """Read a study's record.

    Raises:
        UserError: the file is missing or is not a study record.
    """
    remedy = "Run `ganvae sweep report` to write this file again."
    return parse_record(StudyRecord, read_json(path), path, remedy)


def read_studies(root: Path, profile: str | None = None) -> list[StudyRecord]:
    """Read all studies under ``root``, or only the studies of ``profile``, sorted by name."""
    records = [read_study(path) for path in sorted((root / SWEEPS).glob(f"*/{RECORD}"))]
    return [record for record in records if profile in (None, record.profile)]

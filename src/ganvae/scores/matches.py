"""Records of matches: files in `results/matches/` with one training run each.

A match searches the parameters of GANs and of VAEs with equal effort. All FIDs in these records
were measured on the validation split.
"""

import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, NonNegativeInt, model_validator

from ganvae.core.errors import DataError
from ganvae.core.files import read_json, write_json
from ganvae.core.records import Record, parse_record

MATCHES = Path("results/matches")
"""The folder of all matches. Each match has its own folder, with one file per training run."""

Stage = Literal["search", "selection", "why"]
STAGES: tuple[Stage, ...] = ("search", "selection", "why")
TOLERANCE = 0.1
"""The share of its CPU-seconds by which a training run may miss the budget without a flag."""
RESOLUTION = 0.5
"""A miss of so many CPU-seconds counts as none: on a busy machine, times are not finer."""

Family = Literal["gan", "vae"]
FAMILIES: tuple[Family, ...] = ("gan", "vae")
Value = bool | int | float | str | list[int] | None


RECORD = "match.json"


class MatchRecord(Record):
    """What all training runs of a match share.

    Attributes:
        match_sha256: the checksum of the match file's content.
        content: the content of the match file, as in `ganvae.matches.spec.Match`.
        switches: the number of parameters that each family's search can change.
        noise_fid: FID of the ceiling on the validation split, from as many images as each training
            run. The ceiling is noise: independent Gaussian pixels.
    """

    name: str
    match_sha256: str
    content: dict[str, Any]
    switches: dict[Family, int]
    profile: str
    dataset: str
    train_sha256: str
    validation_sha256: str
    judge_sha256: str
    unlabelled_judge_sha256: str | None = None
    noise_fid: float = Field(gt=0)


class ProbeRecord(Record):
    """The costs that were measured before a trial, to plan its number of training steps.

    Attributes:
        step_seconds: CPU-seconds of one training step.
        fit_seconds: CPU-seconds that fit what sampling needs, such as a prior.
    """

    step_seconds: float = Field(gt=0)
    fit_seconds: float = Field(ge=0)


class TrainedRecord(Record):
    """One training run of a match, and its FID on the validation split.

    Attributes:
        match_sha256: the checksum of the match file's content.
        stage: ``search`` for the trials. ``selection`` for the best trials, trained again from
            other seeds. ``why`` for the finalists with a change.
        change: the change of the finalist, in the stage ``why``.
        split_seed: the seed that divided training and validation images, or None for the
            profile's own.
        trial: the number of the configuration within its family's search.
        redraws: how many invalid combinations of parameters were drawn before this one.
        parameters: a mapping from the dotted name of each searched parameter to its value.
        config: the parameters that differ from the system's defaults, with the planned schedule.
        steps: the planned number of training steps. 0 if the training diverged in the probe.
        budget_seconds: the CPU-seconds of a trial in the match, with the fit.
        cpu_seconds: the CPU-seconds that it took, with the fit.
        sampling_seconds: CPU-seconds per 1,000 samples.
        fid_judge: FID on the validation split. None if the training run diverged.
        fid_unlabelled: the same in the features of the second judge, which was trained without
            labels. None without a second judge, too.
        classes: the number of classes among the samples. None if the training run diverged.
        tokens: the tokens of the code's behaviour in training and in evaluation.
    """

    match_sha256: str
    family: Family
    stage: Stage
    change: str = ""
    split_seed: int | None = None
    trial: NonNegativeInt
    seed: NonNegativeInt
    system: str
    redraws: NonNegativeInt
    parameters: dict[str, Value]
    config: dict[str, Any]
    steps: NonNegativeInt
    budget_seconds: float = Field(gt=0)
    probe: ProbeRecord | None
    cpu_seconds: float = Field(ge=0)
    fit_seconds: float = Field(ge=0)
    sampling_seconds: float | None = Field(ge=0)
    status: Literal["completed", "collapsed", "diverged"]
    reason: str | None
    fid_judge: float | None = Field(ge=0)
    fid_unlabelled: float | None = Field(None, ge=0)
    classes: NonNegativeInt | None
    precision: str
    processor: str
    started: float
    tokens: dict[str, str | None]

    @model_validator(mode="after")
    def _score_fits_status(self) -> Self:
        if (self.fid_judge is None) != (self.status == "diverged"):
            raise ValueError(f"the status is {self.status}, but fid_judge is {self.fid_judge}")
        return self

    def path(self, match: str) -> Path:
        """Path of this record, relative to the repository's root."""
        return trained_path(match, self.stage, self.family, self.trial, self.seed, self.change)

    @property
    def off_budget(self) -> float:
        """The share by which the CPU-seconds exceed the budget; negative if they fall short.

        A miss of at most `RESOLUTION` counts as 0.
        """
        miss = self.cpu_seconds - self.budget_seconds
        return 0.0 if abs(miss) <= RESOLUTION else miss / self.budget_seconds

    @property
    def selectable(self) -> bool:
        """Whether the trial has an FID, and did not exceed its budget by more than `TOLERANCE`."""
        return self.fid_judge is not None and self.off_budget <= TOLERANCE

    @property
    def flagged(self) -> bool:
        """Whether the CPU-seconds miss the budget by more than `TOLERANCE`.

        A diverged training run ends early, so it is never flagged for falling short. The stage
        ``why`` takes the finalist's steps, or a multiple of them, on any machine. So its training
        runs are never flagged.
        """
        if self.stage == "why":
            return False
        short = self.off_budget < -TOLERANCE and self.status != "diverged"
        return short or self.off_budget > TOLERANCE


def match_path(match: str) -> Path:
    """Path of what all training runs of a match share, relative to the repository's root."""
    return MATCHES / match / RECORD


def read_match_record(path: Path) -> MatchRecord:
    """Read what all training runs of a match share.

    Raises:
        UserError: the file is missing, is not such a record, or is in the folder of another match.
    """
    remedy = "Delete this file, and run `ganvae sweep match` to write it again."
    record = parse_record(MatchRecord, read_json(path), path, remedy)
    if record.name != path.parent.name:
        raise DataError(f"{path}: this is the record of match {record.name}. {remedy}")
    return record


def read_matches(root: Path, profile: str | None = None) -> list[MatchRecord]:
    """Read all matches under ``root``, or only those of ``profile``, sorted by name."""
    paths = sorted((root / MATCHES).glob(f"*/{RECORD}"))
    records = [read_match_record(path) for path in paths]
    return [record for record in records if profile in (None, record.profile)]


def trained_path(match: str, stage: Stage, family: str, trial: int, seed: int, change: str) -> Path:
    """Path of the record of one training run, relative to the repository's root."""
    seeded = "" if stage == "search" else f"-seed-{seed}"
    changed = "-" + re.sub("[^a-z0-9.]+", "-", change) if change else ""
    return MATCHES / match / stage / f"{family}-{trial:02d}{changed}{seeded}.json"


def write_trained(root: Path, match: str, record: TrainedRecord) -> Path:
    """Write the record of a training run under ``root``, atomically, and return its path."""
    path = root / record.path(match)
    write_json(path, record.model_dump(mode="json"))
    return path


def read_trained(path: Path) -> TrainedRecord:
    """Read the record of one training run of a match.

    Raises:
        UserError: the file is missing, is not such a record, or has the name of another training
            run.
    """
    remedy = "Delete this file, and run `ganvae sweep match` to train this trial again."
    record = parse_record(TrainedRecord, read_json(path), path, remedy)
    own = record.path("")
    if (path.parent.name, path.name) != (record.stage, own.name):
        raise DataError(
            f"{path}: the content is the record of {record.stage}/{own.name}, so this file is a "
            f"copy or was renamed. {remedy}"
        )
    return record


def read_stage(root: Path, match: str, stage: Stage) -> list[TrainedRecord]:
    """Read all records of a stage of a match, sorted by family, trial and seed."""
    paths = (root / MATCHES / match / stage).glob("*.json")
    records = [read_trained(path) for path in paths]
    return sorted(records, key=lambda r: (r.family, r.trial, r.change, r.seed))

"""Score records: the scores of one training run, and everything that determined these scores."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from ganvae.core.errors import UserError
from ganvae.core.files import parse_json, read_json, refuse_special, write_json
from ganvae.core.limits import LARGEST_SEED
from ganvae.core.records import Record, parse_record
from ganvae.scores.catalogue import PRIMARY, RENAMED, REQUIRED, SCORES, in_range

PRINTABLE = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
"""The pattern of a name: no control characters, no spaces at its ends, and not empty."""

MAKE_ONE = "`ganvae score SAMPLES --json FILE` writes a score record."

PROTOCOL_VERSION = 3
"""The version of the scoring code. Raise this number if a code change alters any score."""


class Provenance(Record):
    """The settings, checksums and seeds that determine the scores of one record.

    Two records can be ranked together only if their `ranking` tuples are equal. The last four
    fields are None in records that are older than the scores that need these fields. Without a
    second judge, ``unlabelled_judge_sha256`` is None too.
    """

    protocol_version: int
    dataset: str
    split: str
    n_real: PositiveInt
    n_generated: PositiveInt
    judge_sha256: str
    data_sha256: str
    weights_sha256: str | None
    training_seed: int
    evaluation_seed: int
    inception_score_splits: int
    bootstrap_resamples: int
    memorisation_samples: int
    inversion_images: int
    inversion_restarts: int
    inversion_steps: int
    inversion_learning_rate: float
    importance_samples: int
    inception_sha256: str | None
    training_steps: int | None
    training_precision: str | None
    unlabelled_judge_sha256: str | None = None
    half_samples: int | None = None
    fld_samples: int | None = None
    fld_images: int | None = None

    @property
    def ranking(self) -> tuple[Any, ...]:
        """The fields that must be equal in all records that are ranked together."""
        return (
            self.protocol_version,
            self.dataset,
            self.split,
            self.data_sha256,
            self.n_real,
            self.n_generated,
            self.judge_sha256,
            self.evaluation_seed,
            self.inception_score_splits,
            self.memorisation_samples,
            self.inversion_images,
            self.inversion_restarts,
            self.inversion_steps,
            self.inversion_learning_rate,
            self.importance_samples,
            self.unlabelled_judge_sha256,
            self.fld_samples,
            self.fld_images,
        )


class Noise(Record):
    """The noise of a score from the random draw of its images, with a 95 % interval.

    For scores of samples, the noise is measured by resampling the generated images. For the
    importance bound, the noise is computed from the spread over the test images.
    """

    standard_error: float = Field(ge=0)
    low: float
    high: float

    @model_validator(mode="after")
    def _low_is_below_high(self) -> Self:
        if self.low > self.high and not math.isclose(self.low, self.high):  # rounding
            raise ValueError(f"an interval goes from {self.low:g} to {self.high:g}")
        return self


class ScoreRecord(Record):
    """The scores of one training run, of one baseline, or of samples from another source.

    Attributes:
        status: ``diverged`` means that training diverged, or that a weight or score is not finite.
            A diverged record has a ``reason``, but no scores of samples. ``collapsed`` means that
            nearly all samples are of one class. A collapsed record has a ``reason``, and its scores
            count like the scores of other records.
        flags: the reasons why the record must not be ranked.
        remarks: sentences on the samples' files. A record with remarks can still be ranked.
        scores: a mapping from score name to value. Scores that were not measured are null. Names
            of old records are replaced by the present names (`RENAMED`).
        noise: a mapping from score name to evaluation noise, for scores with measured noise.
        class_counts: the number of samples that the judge assigns to each class. None if the judge
            does not classify.
        samples_sha256: the checksum of the samples' pixels.
        fid_curve: pairs of a number of samples and FID (judge) of that number of samples.
    """

    variant: str = Field(pattern=PRINTABLE)
    family: Literal["gan", "vae", "hybrid", "reference", "other"]
    seed: int = Field(ge=0, le=LARGEST_SEED)
    status: Literal["completed", "collapsed", "diverged"]
    reason: str | None
    flags: list[str] = Field(default=[])
    remarks: list[str] = Field(default=[], exclude_if=lambda remarks: not remarks)
    scores: dict[str, float | None]
    noise: dict[str, Noise] = Field(default={})
    class_counts: list[NonNegativeInt] | None = None
    samples_sha256: str | None = None
    fid_curve: list[tuple[int, float]] = Field(default=[])
    provenance: Provenance

    @field_validator("scores")
    @classmethod
    def _present_names(cls, scores: dict[str, float | None]) -> dict[str, float | None]:
        return {RENAMED.get(name, name): value for name, value in scores.items()}

    @model_validator(mode="after")
    def _scores_are_possible(self) -> Self:
        for name, value in self.scores.items():
            if name not in SCORES:
                raise ValueError(f"scores.{name} is not a score of this version")
            if value is not None and not in_range(name, value):
                least, most = SCORES[name].range
                raise ValueError(
                    f"scores.{name} is {value:g}, but it must lie between {least:g} and {most:g}"
                )
        most_classes = len(self.class_counts or ())
        for name in ("is_judge", "classes_judge"):
            if most_classes and (self.scores.get(name) or 0) > most_classes:
                raise ValueError(
                    f"scores.{name} is {self.scores[name]:g}, but there are {most_classes} classes"
                )
        if unknown := self.noise.keys() - SCORES.keys():
            raise ValueError(f"noise.{min(unknown)} is not a score of this version")
        if self.provenance.protocol_version > PROTOCOL_VERSION:
            raise ValueError(
                f"the record has protocol version {self.provenance.protocol_version}, but this "
                f"program has version {PROTOCOL_VERSION}"
            )
        if self.status != "diverged" and not self.flags and self.scores.get(PRIMARY) is None:
            raise ValueError(
                f"the status is {self.status}, but scores.{PRIMARY} is missing and no flag says why"
            )
        return self


class ValidationRecord(Record):
    """FID of one training run on the validation split, null if the training run diverged.

    This FID is used only to choose champions, the best GAN and VAE of a profile. No ranking uses
    this FID.
    """

    split: Literal["validation"] = "validation"
    fid_judge: float | None
    n_real: int
    n_generated: int
    training_seed: int
    weights_sha256: str
    data_sha256: str
    judge_sha256: str


def shown_run(records: Sequence[ScoreRecord]) -> ScoreRecord:
    """Return the record of a variant's shown run: the training run with pictures on the pages.

    The shown run is not the best run. The function picks the first completed run. If no run
    completed, the function picks the first collapsed run, or else the first run.

    Args:
        records: the records of one variant.
    """
    order = ("completed", "collapsed", "diverged")
    return min(records, key=lambda record: order.index(record.status))


def complete_scores(measured: Mapping[str, float | None]) -> dict[str, float | None]:
    """Add every required score that is missing from ``measured``, with the value None.

    Raises:
        ValueError: a measured score is not in the catalogue.
    """
    if unknown := measured.keys() - SCORES.keys():
        raise ValueError(f"scores that are not in the catalogue: {', '.join(sorted(unknown))}")
    return dict.fromkeys(REQUIRED) | dict(measured)


def write_records(path: Path, records: list[ScoreRecord]) -> None:
    """Write records as a JSON list, atomically."""
    write_json(path, [record.model_dump() for record in records])


def read_given(path: Path) -> Any:
    """Read a JSON file of a user, which should hold score records.

    Raises:
        UserError: the file is not JSON.
        OSError: the file is missing or unreadable.
    """
    refuse_special(path)
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path} is not JSON ({error}), so it has no score record. {MAKE_ONE}"
        ) from None


def read_record(path: Path) -> ScoreRecord:
    """Read one record (a JSON object).

    Raises:
        UserError: the file is missing or is not a score record.
    """
    return as_score_record(read_json(path), path)


def read_records(path: Path) -> list[ScoreRecord]:
    """Read a JSON list of records.

    Raises:
        UserError: the file is missing, or an entry is not a score record.
    """
    return [as_score_record(value, path) for value in read_json(path)]


def as_score_record(value: Any, path: Path) -> ScoreRecord:
    """Parse a JSON value as a score record. Error messages name ``path`` as the value's file.

    Raises:
        UserError: the value is not a score record.
    """
    remedy = (
        "If the pipeline wrote this file, run `dvc repro` to write it again. "
        "Otherwise, write a score record with `ganvae score --json`."
    )
    return parse_record(ScoreRecord, value, path, remedy)

"""Score records: what was measured, on which run, and how."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ganvae.core.files import read_json, write_json
from ganvae.core.records import Record, parse_record
from ganvae.scores.catalogue import REQUIRED, SCORES

PROTOCOL_VERSION = 2
"""Raised whenever a code change gives the same images another value of a score."""


class Provenance(Record):
    """Everything that determines a score besides the weights.

    Scores are comparable only if their `ranking` is equal.
    """

    protocol_version: int
    dataset: str
    split: str
    n_real: int
    n_generated: int
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

    @property
    def ranking(self) -> tuple[Any, ...]:
        """Records with equal values of this may be ranked together."""
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
        )


class Noise(Record):
    """The noise of a score from the random draw of its images, with a 95 % interval.

    For scores of samples it is measured by resampling the generated images. For the importance
    bound it comes from the spread over the test images.
    """

    standard_error: float
    low: float
    high: float


class ScoreRecord(Record):
    """The scores of one run.

    Attributes:
        status: a ``diverged`` run has a ``reason`` but no scores of its samples. A ``collapsed``
            run has a ``reason`` and scores, and its scores count.
        flags: the reasons why the record must not be ranked.
        noise: the evaluation noise of those scores for which it was measured.
        class_counts: the number of samples that the judge assigns to each class. None if the
            judge does not classify.
        samples_sha256: the checksum of the samples' pixels.
        fid_curve: pairs of a number of samples and the FID (judge) of so many samples.
    """

    variant: str
    family: Literal["gan", "vae", "hybrid", "reference", "other"]
    seed: int
    status: Literal["completed", "collapsed", "diverged"]
    reason: str | None
    flags: list[str] = Field(default=[])
    scores: dict[str, float | None]
    noise: dict[str, Noise] = Field(default={})
    class_counts: list[int] | None = None
    samples_sha256: str | None = None
    fid_curve: list[tuple[int, float]] = Field(default=[])
    provenance: Provenance


class ValidationRecord(Record):
    """FID of one run on the validation split, null if the run diverged.

    It is used only to choose champions. No ranking uses it.
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
    """The run of a variant whose pictures and weights are shown. It is not the best run.

    It is the first run that completed, else the first that collapsed, else the first of all.
    """
    order = ("completed", "collapsed", "diverged")
    return min(records, key=lambda record: order.index(record.status))


def complete_scores(measured: Mapping[str, float | None]) -> dict[str, float | None]:
    """All scores of a record, null for those that were not measured.

    Raises:
        ValueError: a measured score is not in the catalogue.
    """
    if unknown := measured.keys() - SCORES.keys():
        raise ValueError(f"not in the catalogue of scores: {', '.join(sorted(unknown))}")
    return dict.fromkeys(REQUIRED) | dict(measured)


def write_records(path: Path, records: list[ScoreRecord]) -> None:
    """Write records as a JSON list, atomically."""
    write_json(path, [record.model_dump() for record in records])


def read_record(path: Path) -> ScoreRecord:
    """Read one record (a JSON object).

    Raises:
        UserError: the file is missing or holds something else.
    """
    return as_score_record(read_json(path), path)


def read_records(path: Path) -> list[ScoreRecord]:
    """Read a JSON list of records.

    Raises:
        UserError: the file is missing or holds something else.
    """
    return [as_score_record(value, path) for value in read_json(path)]


def as_score_record(value: Any, path: Path) -> ScoreRecord:
    """Parse a JSON value as a score record; ``path`` is its file, for the error message.

    Raises:
        UserError: the value is not a score record.
    """
    remedy = (
        "If the pipeline wrote the file, run `dvc repro` to write it again. "
        "Otherwise write a record with `ganvae score --json`."
    )
    return parse_record(ScoreRecord, value, path, remedy)

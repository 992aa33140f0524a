"""A score record: what was measured, of what, and how."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ganvae.core.files import read_json, write_json
from ganvae.core.records import Record, parse_record
from ganvae.scores.catalogue import REQUIRED, SCORES

PROTOCOL_VERSION = 2
"""Raised whenever the same images would get another number for the same score."""


class Provenance(Record):
    """All that decides a score beside the weights. Scores compare only where `ranking` agrees."""

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
        """Records that share this may stand in one ranking."""
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
    """How much a score owes to the draw of its images; ``low`` and ``high`` bound 95 % around it.

    Scores of samples: by resampling them. Importance bound: of the test images, by their spread.
    """

    standard_error: float
    low: float
    high: float


class ScoreRecord(Record):
    """The scores of one model trained from one seed.

    ``status``: a ``diverged`` run has no scores, only a ``reason``; a ``collapsed`` one has both,
    and its scores count. ``flags`` say why a record is not to be ranked. ``noise`` has the scores
    whose evaluation noise was measured; ``class_counts`` how many samples the judge gives to each
    class, where it is one of classes; ``samples_sha256`` the checksum of the samples' pixels;
    ``fid_curve`` the FID (judge) of so many of the samples.
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
    """FID of one run on the validation split; null if the run diverged.

    Champions are chosen by it, and nothing else: no ranking takes it in.
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
    """Of a model's runs the one whose pictures and weights are shown, which is not the best.

    The first that completed; else the first that collapsed; else the first.
    """
    order = ("completed", "collapsed", "diverged")
    return min(records, key=lambda record: order.index(record.status))


def complete_scores(measured: Mapping[str, float | None]) -> dict[str, float | None]:
    """All scores that a record has today; null where one was not measured.

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
    """The record that a JSON value is; ``path`` is the file that holds it.

    Raises:
        UserError: the value is no score record.
    """
    remedy = (
        "If the pipeline wrote it, `dvc repro` writes it again; "
        "otherwise make one with `ganvae score --json`."
    )
    return parse_record(ScoreRecord, value, path, remedy)

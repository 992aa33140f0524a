"""A score record: what was measured, of what, and how."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ganvae.errors import UserError
from ganvae.files import read_json, write_json

PROTOCOL_VERSION = 1
"""Raised whenever the same images would be given another number."""

SCORE_NAMES = (
    "fid_judge",
    "is_judge",
    "is_judge_std",
    "precision_judge",
    "recall_judge",
    "density_judge",
    "coverage_judge",
    "reconstruction_mse",
    "reconstruction_psnr",
    "reconstruction_ssim",
    "elbo_bernoulli",
    "elbo_gaussian",
    "parameters",
    "train_seconds",
    "train_images_per_second",
)
"""Every record has all of these; what does not apply to a model is null."""


class Record(BaseModel):
    """Parts of a record refuse unknown keys, NaN and infinity."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )


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
        )


class ScoreRecord(Record):
    """The scores of one model trained from one seed.

    ``status`` is ``completed`` or ``diverged``; a diverged run has no scores, only a ``reason``.
    """

    model: str
    family: Literal["gan", "vae", "hybrid", "reference"]
    seed: int
    status: Literal["completed", "diverged"]
    reason: str | None
    scores: dict[str, float | None]
    provenance: Provenance


def blank_scores() -> dict[str, float | None]:
    """Every score, none measured."""
    return dict.fromkeys(SCORE_NAMES)


def write_records(path: Path, records: list[ScoreRecord]) -> None:
    """Write records as a JSON list, atomically."""
    write_json(path, [record.model_dump() for record in records])


def read_record(path: Path) -> ScoreRecord:
    """Read one record (a JSON object)."""
    return _parse(read_json(path), path)


def read_records(path: Path) -> list[ScoreRecord]:
    """Read a JSON list of records."""
    return [_parse(value, path) for value in read_json(path)]


def _parse(value: Any, path: Path) -> ScoreRecord:
    try:
        return ScoreRecord.model_validate(value)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise UserError(
            f"{path}: not a score record ({where}: {fault['msg']}). Delete it, run `dvc repro`."
        ) from None

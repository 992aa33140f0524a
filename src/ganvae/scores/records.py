"""A score record: what was measured, of what, and how."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ganvae.core.errors import UserError
from ganvae.core.files import read_json, write_json

PROTOCOL_VERSION = 2
"""Raised whenever the same images would be given another number, or further ones."""

SCORE_NAMES = (
    "fid_judge",
    "fid_judge_infinity",
    "kid_judge",
    "kid_judge_std",
    "is_judge",
    "is_judge_std",
    "precision_judge",
    "recall_judge",
    "density_judge",
    "coverage_judge",
    "class_distance_judge",
    "classes_judge",
    "modes_judge",
    "mode_kl_judge",
    "closer_to_train_judge",
    "closer_to_train_pixels",
    "reconstruction_mse",
    "reconstruction_psnr",
    "reconstruction_ssim",
    "reconstruction_cross_entropy",
    "label_kept_judge",
    "inverted_mse",
    "inverted_psnr",
    "inverted_ssim",
    "inverted_cross_entropy",
    "inverted_label_kept_judge",
    "elbo_bernoulli",
    "elbo_gaussian",
    "elbo_binarised",
    "importance_bound_binarised",
    "parameters",
    "train_seconds",
    "train_images_per_second",
    "peak_memory_mb",
)
"""Every record has all of these; what does not apply to a model, or to a judge, is null."""

INCEPTION_SCORES = ("fid_inception", "kid_inception")
"""Only the records of a profile that names an Inception extractor have these."""

BETTER: dict[str, Literal["lower", "higher"]] = {
    "fid_judge": "lower",
    "fid_judge_infinity": "lower",
    "kid_judge": "lower",
    "is_judge": "higher",
    "precision_judge": "higher",
    "recall_judge": "higher",
    "density_judge": "higher",
    "coverage_judge": "higher",
    "class_distance_judge": "lower",
    "classes_judge": "higher",
    "modes_judge": "higher",
    "mode_kl_judge": "lower",
    "reconstruction_mse": "lower",
    "reconstruction_psnr": "higher",
    "reconstruction_ssim": "higher",
    "reconstruction_cross_entropy": "lower",
    "label_kept_judge": "higher",
    "inverted_mse": "lower",
    "inverted_psnr": "higher",
    "inverted_ssim": "higher",
    "inverted_cross_entropy": "lower",
    "inverted_label_kept_judge": "higher",
    "elbo_bernoulli": "higher",
    "elbo_gaussian": "higher",
    "elbo_binarised": "higher",
    "importance_bound_binarised": "higher",
    "train_seconds": "lower",
    "train_images_per_second": "higher",
    "peak_memory_mb": "lower",
    "fid_inception": "lower",
    "kid_inception": "lower",
}
"""The better side of each score that has one."""


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

    model: str
    family: Literal["gan", "vae", "hybrid", "reference", "other"]
    seed: int
    status: Literal["completed", "collapsed", "diverged"]
    reason: str | None
    flags: list[str] = []
    scores: dict[str, float | None]
    noise: dict[str, Noise] = {}
    class_counts: list[int] | None = None
    samples_sha256: str | None = None
    fid_curve: list[tuple[int, float]] = []
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


def blank_scores() -> dict[str, float | None]:
    """Every score, none measured."""
    return dict.fromkeys(SCORE_NAMES)


def write_records(path: Path, records: list[ScoreRecord]) -> None:
    """Write records as a JSON list, atomically."""
    write_json(path, [record.model_dump() for record in records])


def read_record(path: Path) -> ScoreRecord:
    """Read one record (a JSON object)."""
    return parse_record(read_json(path), path)


def read_records(path: Path) -> list[ScoreRecord]:
    """Read a JSON list of records."""
    return [parse_record(value, path) for value in read_json(path)]


def parse_record(value: Any, path: Path) -> ScoreRecord:
    """A record from what stood in the JSON file at ``path``.

    Raises:
        UserError: it is none; the message says in what, and what to do.
    """
    try:
        return ScoreRecord.model_validate(value)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "top level"
        raise UserError(
            f"{path}: not a score record ({where}: {fault['msg']}). If it is one of the "
            "pipeline's files, `dvc repro` writes it anew; else `ganvae score --json` makes one."
        ) from None

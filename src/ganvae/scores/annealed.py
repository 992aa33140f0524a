"""Records of log-likelihoods, estimated by annealed importance sampling (1611.04273)."""

from pathlib import Path
from typing import Self

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from ganvae.config import Params
from ganvae.core.files import read_json
from ganvae.core.paths import ProfilePaths
from ganvae.core.records import Record, parse_record

NO_ESTIMATES = {"variant", "seed", "prior", "dataset", "weights_sha256", "data_sha256", "reason"}
"""The fields that hold no number of an estimate."""


class LikelihoodRecord(Record):
    """The estimated log-likelihood of test images under one training run.

    A record has either a reason or all numbers. Log-likelihoods and gaps are in nats per image.

    Attributes:
        variant, seed: the training run.
        prior: the name of the distribution of the latents.
        dataset: the name of the data set.
        weights_sha256, data_sha256: the checksums of the weights file and of the test split's file.
        reason: why there are no numbers.
        variance: the variance of a pixel, chosen on validation images, for pixels in [0, 1].
        candidates: pairs of a variance that was tried and the mean log-likelihood of validation
            images with this variance, in the order of the variances. A variance without a finite
            mean is left out.
        mean, standard_error: the log-likelihood of test images. The standard error is that of the
            mean over images.
        gap, gap_standard_error: upper bound minus lower bound of the log-likelihood of simulated
            images, the mean over images.
        images: the number of test images.
        simulated: the number of images that were drawn from the model.
        chains, distributions, leapfrog_steps: the effort of annealed importance sampling.
        annealing_seed: the random seed of the estimate.
        cpu_seconds: the CPU time of the estimate.
    """

    variant: str
    seed: NonNegativeInt
    prior: str
    dataset: str
    weights_sha256: str
    data_sha256: str
    reason: str | None = None
    variance: PositiveFloat | None = None
    candidates: list[tuple[float, float]] | None = None
    mean: float | None = None
    standard_error: NonNegativeFloat | None = None
    gap: float | None = None
    gap_standard_error: NonNegativeFloat | None = None
    images: PositiveInt | None = None
    simulated: PositiveInt | None = None
    chains: PositiveInt | None = None
    distributions: PositiveInt | None = None
    leapfrog_steps: PositiveInt | None = None
    annealing_seed: NonNegativeInt | None = None
    cpu_seconds: NonNegativeFloat | None = None

    @model_validator(mode="after")
    def _numbers_or_a_reason(self) -> Self:
        values = self.model_dump(exclude=NO_ESTIMATES)
        wrong = [name for name, value in values.items() if (value is None) != bool(self.reason)]
        if wrong:
            raise ValueError(
                f"{wrong[0]} is {values[wrong[0]]}, but the record must have either a reason or "
                "all numbers"
            )
        return self


def collect_annealed(params: Params) -> list[LikelihoodRecord]:
    """Read the records of a profile, in the order of ``annealing.runs``.

    Training runs whose log-likelihood was not estimated yet are left out.

    Raises:
        UserError: a file is not a record.
    """
    paths = ProfilePaths(params.profile)
    files = [paths.run(key).annealed for key in params.annealing.runs]
    return [read_annealed(path) for path in files if path.exists()]


def read_annealed(path: Path) -> LikelihoodRecord:
    """Read one record (a JSON object).

    Raises:
        UserError: the file is missing or is not a record.
    """
    remedy = "Run `dvc repro` to write it again."
    return parse_record(LikelihoodRecord, read_json(path), path, remedy)

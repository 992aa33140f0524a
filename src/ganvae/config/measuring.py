"""Parameters of the hardware, the evaluation and the baselines."""

from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from ganvae.config.section import PATH, Section, Seed
from ganvae.core.limits import MOST_THREADS

MIN_IMAGES_A_SPLIT = 10
"""The smallest allowed number of images per split of the Inception Score.

The Inception Score is computed on splits of the generated images. On a split with a single image,
the score is always 1, so splits must be larger.
"""


class ComputeConfig(Section):
    """The hardware for training and evaluation.

    ``threads: null`` uses all cores. ``precision`` is the numeric precision of the networks in
    training. With ``auto``, the precision is bf16 on devices that are faster in bf16, else
    fp32. Results repeat bit for bit only with the same number of threads and the same
    precision.
    """

    device: Literal["auto", "cpu", "cuda"]
    threads: int | None = Field(ge=1, le=MOST_THREADS)
    precision: Literal["auto", "fp32", "bf16"]


class InversionConfig(Section):
    """Settings of inversion: the search for a latent whose decoded image matches a given image.

    ``images`` is the number of given images. The same images of the split serve for all variants.
    For each image, the search draws ``restarts`` latents from the prior, and improves each latent
    by ``steps`` steps of Adam. The cost is images x restarts x steps forward and backward passes of
    the decoder.
    """

    images: PositiveInt = 50
    restarts: PositiveInt = 2
    steps: PositiveInt = 400
    learning_rate: PositiveFloat = 0.1


class InceptionConfig(Section):
    """A TorchScript Inception network: the path or URL of its file, and the file's SHA-256."""

    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class UnlabelledJudgeConfig(Section):
    """The second judge, which was trained without labels: its weights file, and the file's SHA-256.

    ``file`` is the path from the repository's root. The judge's card has the checksum.
    """

    file: str = Field(pattern=PATH)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class EvaluationConfig(Section):
    """The number of images to generate and score, their random seed, and settings of the scores.

    The defaults follow the protocol, the fixed rules of scoring. ``bootstrap_resamples`` is the
    number of resamples that measure the evaluation noise of FID and IS. ``half_samples`` is the
    number of random halves of the samples that measure the evaluation noise of recall and coverage.
    ``memorisation_samples`` is the number of samples whose nearest training image is searched.
    ``fld_samples`` and ``fld_images`` are the numbers of samples and of training images from which
    FLD is computed. Smaller sets of images are used whole. ``importance_samples`` is the number k
    of latents per image in the importance-weighted bound of the likelihood.
    """

    n_generated: PositiveInt = 10_000
    batch_size: PositiveInt = 125
    inception_score_splits: int = Field(10, ge=2)
    seed: Seed = 0
    bootstrap_resamples: int = Field(200, ge=20)
    half_samples: int = Field(100, ge=20)
    memorisation_samples: PositiveInt = 2000
    fld_samples: int = Field(500, ge=2)
    fld_images: int = Field(8000, ge=2)
    inversion: InversionConfig = InversionConfig()
    importance_samples: PositiveInt = 500
    unlabelled_judge: UnlabelledJudgeConfig | None = None
    inception: InceptionConfig | None = None

    @model_validator(mode="after")
    def _enough_images_per_split(self) -> Self:
        if self.n_generated < MIN_IMAGES_A_SPLIT * self.inception_score_splits:
            raise ValueError(
                f"n_generated is {self.n_generated}, but it must be at least "
                f"{MIN_IMAGES_A_SPLIT} times inception_score_splits, which is "
                f"{self.inception_score_splits}. Set a larger n_generated or fewer splits"
            )
        return self


class BaselinesConfig(Section):
    """The random seeds of the baselines. Each baseline is drawn and scored once per seed."""

    seeds: list[Seed] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_seed_is_repeated(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: no seed may be repeated")
        return self

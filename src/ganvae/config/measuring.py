"""Parameters of the hardware, the evaluation and the baselines."""

from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from ganvae.config.section import Section, Seed

MIN_IMAGES_A_SPLIT = 10
"""The fewest images per split for a meaningful Inception Score.

The Inception Score of a split with one image is always 1.
"""


class ComputeConfig(Section):
    """The hardware for training and evaluation.

    ``threads: null`` uses all cores. ``precision`` is the numeric precision of the networks in
    training. The precision ``auto`` is bf16 on devices that compute faster in bf16, else fp32.
    Results repeat bit for bit only with equal threads and equal precision.
    """

    device: Literal["auto", "cpu", "cuda"]
    threads: PositiveInt | None
    precision: Literal["auto", "fp32", "bf16"]


class InversionConfig(Section):
    """A search for latents. For each given image, the decoded latent should match the image.

    ``images`` images are drawn from the split once, for all variants. For each image, the search
    draws ``restarts`` latents from the prior, and improves each latent by ``steps`` steps of Adam.
    The cost is images x restarts x steps forward and backward passes of the decoder.
    """

    images: PositiveInt = 50
    restarts: PositiveInt = 2
    steps: PositiveInt = 400
    learning_rate: PositiveFloat = 0.1


class InceptionConfig(Section):
    """The path or URL of a TorchScript Inception network, and the file's SHA-256 checksum."""

    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class EvaluationConfig(Section):
    """The number of images to generate and score, their random seed, and settings of the scores.

    The defaults follow the protocol, the fixed rules of scoring. ``bootstrap_resamples`` is the
    number of resamples that measure the evaluation noise of FID and IS. ``memorisation_samples`` is
    the number of samples whose nearest training image is searched. ``importance_samples`` is k in
    the importance-weighted bound.
    """

    n_generated: PositiveInt = 10_000
    batch_size: PositiveInt = 125
    inception_score_splits: int = Field(10, ge=2)
    seed: Seed = 0
    bootstrap_resamples: int = Field(200, ge=20)
    memorisation_samples: PositiveInt = 2000
    inversion: InversionConfig = InversionConfig()
    importance_samples: PositiveInt = 500
    inception: InceptionConfig | None = None

    @model_validator(mode="after")
    def _enough_images_per_split(self) -> Self:
        if self.n_generated < MIN_IMAGES_A_SPLIT * self.inception_score_splits:
            raise ValueError(
                f"n_generated is {self.n_generated}, but it must be at least "
                f"{MIN_IMAGES_A_SPLIT} times inception_score_splits, which is "
                f"{self.inception_score_splits}"
            )
        return self


class BaselinesConfig(Section):
    """The random seeds of the baselines. Each baseline is drawn and scored once per seed."""

    seeds: list[Seed] = Field(min_length=1)

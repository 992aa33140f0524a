"""Parameters of the hardware, the evaluation and the baselines."""

from typing import Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from ganvae.config.section import Section

MIN_IMAGES_A_SPLIT = 10
"""With fewer images per split the Inception Score is meaningless. Of one image it is always 1."""


class ComputeConfig(Section):
    """The hardware for training and evaluation.

    ``threads: null`` uses all cores. ``precision`` is that of the networks in training. ``auto``
    chooses bf16 if the device is faster with it, else fp32. Results are bit for bit the same only
    with the same number of threads and the same precision.
    """

    device: Literal["auto", "cpu", "cuda"]
    threads: PositiveInt | None
    precision: Literal["auto", "fp32", "bf16"]


class InversionConfig(Section):
    """The search for the latents whose decoded images are closest to given images.

    ``images`` images are drawn from the split once, the same for all variants. For each image,
    ``restarts`` latents from the prior take ``steps`` steps of Adam. The cost is
    images x restarts x steps forward and backward passes of the decoder.
    """

    images: PositiveInt = 50
    restarts: PositiveInt = 2
    steps: PositiveInt = 400
    learning_rate: PositiveFloat = 0.1


class InceptionConfig(Section):
    """A TorchScript Inception network: its path or URL, and its SHA-256 checksum."""

    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class EvaluationConfig(Section):
    """How many images are generated and scored, from which random seed, and settings of scores.

    The defaults are those of the protocol. ``bootstrap_resamples`` resamples of the samples give
    the evaluation noise of FID and IS. For ``memorisation_samples`` of the samples, the nearest
    training image is searched. ``importance_samples`` is k in the importance-weighted bound.
    """

    n_generated: PositiveInt = 10_000
    batch_size: PositiveInt = 125
    inception_score_splits: int = Field(10, ge=2)
    seed: int = Field(0, ge=0)
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
    """The random seeds of the baselines. Floor and ceiling are drawn and scored once per seed."""

    seeds: list[NonNegativeInt] = Field(min_length=1)

"""Parameters of training hardware and of evaluation."""

from typing import Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from ganvae.config.section import Section

MIN_IMAGES_A_SPLIT = 10  # the Inception Score of fewer says nothing; that of one is always 1


class ComputeConfig(Section):
    """What trains and evaluates.

    ``threads: null`` takes all cores. ``precision`` is that of the networks while they train;
    ``auto`` takes bf16 where the device is the faster for it. Results are bit for bit the same
    only for the same threads and precision.
    """

    device: Literal["auto", "cpu", "cuda"]
    threads: PositiveInt | None
    precision: Literal["auto", "fp32", "bf16"]


class InversionConfig(Section):
    """The search for the latents that come closest to given images.

    ``images`` of the split, drawn once for all models; for each, ``restarts`` latents from the
    prior take ``steps`` steps of Adam. That costs images x restarts x steps passes of the decoder
    forwards and back.
    """

    images: PositiveInt = 50
    restarts: PositiveInt = 2
    steps: PositiveInt = 400
    learning_rate: PositiveFloat = 0.1


class InceptionConfig(Section):
    """A TorchScript Inception network: its path or URL, and its SHA-256."""

    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class EvaluationConfig(Section):
    """How many images are generated and scored, from which seed, and what each score takes.

    The defaults are the protocol's. ``bootstrap_resamples`` of the samples give the evaluation
    noise of FID and IS; ``memorisation_samples`` of them look for their nearest training image;
    ``importance_samples`` are the k of the importance-weighted bound.
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
    def _enough_images_a_split(self) -> Self:
        if self.n_generated < MIN_IMAGES_A_SPLIT * self.inception_score_splits:
            raise ValueError(
                f"n_generated = {self.n_generated}: must be at least {MIN_IMAGES_A_SPLIT} times "
                f"inception_score_splits = {self.inception_score_splits}"
            )
        return self


class BaselinesConfig(Section):
    """How often floor and ceiling are drawn and scored: once for each of the seeds."""

    seeds: list[NonNegativeInt] = Field(min_length=1)

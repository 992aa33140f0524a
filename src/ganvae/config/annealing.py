"""Parameters of annealed importance sampling, which estimates log-likelihoods."""

from typing import Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from ganvae.config.section import Section, Seed

VARIANCES = [
    *(0.003, 0.004, 0.005, 0.006, 0.0075, 0.009, 0.011),
    *(0.0135, 0.0165, 0.02, 0.025, 0.03, 0.04, 0.05),
]
"""The default candidates for the variance. Neighbours differ by a factor of about 1.25."""


class AnnealingSettings(Section):
    """How the log-likelihood of a decoder is estimated (1611.04273).

    The run time grows with images x chains x distributions x leapfrog steps. Errors of estimates
    shrink with more distributions.

    Attributes:
        images: the number of test images. They are chosen at random, the same for all runs.
        simulated: the number of images that are drawn from the model, for the gap between the lower
            and the upper bound.
        chains: the number of chains per image.
        distributions: the number of distributions between prior and posterior.
        leapfrog_steps: the number of leapfrog steps per transition of a chain.
        variances: the candidates for the variance of a pixel, for pixels in [0, 1]. The variance is
            chosen on validation images. A search tries only some of the candidates: it takes for
            granted that the log-likelihood has a single peak over the variances.
        seed: the random seed of all draws.
    """

    images: int = Field(default=100, ge=2)  # a standard error needs two
    simulated: int = Field(default=20, ge=2)
    chains: PositiveInt = 16
    distributions: PositiveInt = 1000
    leapfrog_steps: PositiveInt = 10
    variances: list[PositiveFloat] = Field(default=VARIANCES, min_length=1)
    seed: Seed = 0


class AnnealingConfig(Section):
    """The training runs whose log-likelihood is estimated, and the settings of the estimates.

    The runs are keys of the section ``runs``. In dvc.yaml, an estimate depends only on
    ``settings``. So no estimate becomes stale if a run is added.
    """

    runs: list[str]
    settings: AnnealingSettings = AnnealingSettings()

    @model_validator(mode="after")
    def _no_run_is_repeated(self) -> Self:
        if len(set(self.runs)) < len(self.runs):
            raise ValueError("runs: no run may be repeated")
        return self

    @model_validator(mode="after")
    def _dvc_finds_the_settings(self) -> Self:
        if self.runs and "settings" not in self.model_fields_set:
            raise ValueError(
                "runs names runs, but settings is missing. Write `settings: {}` to take all "
                "defaults"
            )
        return self

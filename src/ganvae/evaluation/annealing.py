"""Apply annealed importance sampling to a model: choose the variance, estimate, and bound."""

import math
from contextlib import closing
from typing import Any

import torch
from torch import Tensor

from ganvae.config import AnnealingSettings
from ganvae.core.seeds import generator
from ganvae.evaluation.densities import NoDensity, decoder_of
from ganvae.metrics.ais import Annealing, log_likelihood, simulated_bounds
from ganvae.models.base import GenerativeModel, evaluating
from ganvae.training.progress import Meter

TUNING_IMAGES = 20
"""The largest number of validation images on which the variance is chosen."""
TUNING_SHARE = 10
"""For the choice of the variance, the number of distributions is divided by this number."""
AT_ONCE = 10
"""The number of images whose chains run at the same time. It limits the memory."""


def estimate(
    model: GenerativeModel,
    *,
    validation: Tensor,
    test: Tensor,
    settings: AnnealingSettings,
    seed: int,
    name: str,
) -> dict[str, Any]:
    """Choose the variance on validation images, and estimate the log-likelihood of test images.

    Args:
        model: after the call, its weights need no gradients.
        validation, test: float32 images, N x C x H x W, in [0, 1].
        seed: the seed of the training run, from which the random numbers derive.
        name: the name of the training run, for the lines of progress.

    Returns:
        The numbers of a `LikelihoodRecord`, without the CPU time.

    Raises:
        NoDensity: the samples of the model have no density, or the density is not finite.
    """
    decoder_of(model, settings.variances[0])  # fail before the first line of progress
    model.requires_grad_(False)
    estimator = _Estimator(model, settings, seed)
    with evaluating(model), closing(Meter(name, estimator.steps(validation, test))) as meter:
        candidates = estimator.candidates(validation, meter)
        variance = max(candidates, key=lambda candidate: candidates[candidate])
        values = estimator.log_likelihood(test, variance, meter)
        gaps = estimator.gaps(variance, meter)
    mean, error = _mean_and_error(values, "log-likelihood of test images")
    gap, gap_error = _mean_and_error(gaps, "gap of the bounds")
    return {
        "variance": variance,
        "candidates": list(candidates.items()),
        "mean": mean,
        "standard_error": error,
        "gap": gap,
        "gap_standard_error": gap_error,
        "images": len(values),
        "simulated": len(gaps),
        "chains": settings.chains,
        "distributions": settings.distributions,
        "leapfrog_steps": settings.leapfrog_steps,
        "annealing_seed": settings.seed,
    }


def _mean_and_error(values: Tensor, what: str) -> tuple[float, float]:
    """Return the mean of values, and its standard error."""
    mean = float(values.mean())
    if not math.isfinite(mean):
        raise NoDensity(f"the {what} is {mean}")
    return mean, float(values.std()) / math.sqrt(len(values))


class _Estimator:
    """Estimates and bounds of the log-likelihood of one model, in eval mode.

    Test images, validation images and simulated images have random numbers of their own. All
    candidates for the variance have the same random numbers.
    """

    def __init__(self, model: GenerativeModel, settings: AnnealingSettings, seed: int) -> None:
        self._model = model
        self._settings = settings
        self._seed = seed
        self._effort = _effort(settings, settings.distributions)
        self._less = _effort(settings, max(1, settings.distributions // TUNING_SHARE))

    def steps(self, validation: Tensor, test: Tensor) -> int:
        """Return the number of transitions of all three methods below."""
        choice = len(self._settings.variances) * self._less.transitions * _batches(len(validation))
        bounds = self._effort.transitions_of_bounds * _batches(self._settings.simulated)
        return choice + self._effort.transitions * _batches(len(test)) + bounds

    def candidates(self, validation: Tensor, meter: Meter) -> dict[float, float]:
        """Return the mean log-likelihood of validation images for each candidate variance.

        A candidate whose mean is not finite is left out.
        """
        means = {}
        for variance in self._settings.variances:
            meter.row = {"variance": variance}
            random = self._random("validation")
            values = self._estimated(validation, variance, self._less, random, meter)
            means[variance] = float(values.mean())
        finite = {variance: mean for variance, mean in means.items() if math.isfinite(mean)}
        if not finite:
            raise NoDensity("the log-likelihood of validation images is not finite")
        return finite

    def log_likelihood(self, test: Tensor, variance: float, meter: Meter) -> Tensor:
        """Estimate log p(x) of each test image: N values, in nats."""
        meter.row = {"variance": variance}
        return self._estimated(test, variance, self._effort, self._random("test"), meter)

    def gaps(self, variance: float, meter: Meter) -> Tensor:
        """Return upper bound minus lower bound of log p(x) of each simulated image, in nats."""
        random, decoder = self._random("simulated"), decoder_of(self._model, variance)
        found = []
        for part in torch.arange(self._settings.simulated).split(AT_ONCE):
            bounds = simulated_bounds(decoder, len(part), self._effort, random, meter.count)
            found.append(bounds.upper - bounds.lower)
            meter.row |= {"gap": float(torch.cat(found).mean())}
        return torch.cat(found).cpu()

    def _estimated(
        self,
        images: Tensor,
        variance: float,
        effort: Annealing,
        random: torch.Generator,
        meter: Meter,
    ) -> Tensor:
        decoder = decoder_of(self._model, variance)
        found = []
        for part in images.to(self._model.device).split(AT_ONCE):
            found.append(log_likelihood(decoder, part, effort, random, meter.count))
            meter.row |= {"log_likelihood": float(torch.cat(found).mean())}
        return torch.cat(found).cpu()

    def _random(self, images: str) -> torch.Generator:
        device = str(self._model.device)
        return generator(self._settings.seed, f"annealed {images}", self._seed, device=device)


def _effort(settings: AnnealingSettings, distributions: int) -> Annealing:
    return Annealing(distributions, chains=settings.chains, leapfrog_steps=settings.leapfrog_steps)


def _batches(images: int) -> int:
    return math.ceil(images / AT_ONCE)

"""Apply annealed importance sampling to a model: choose the variance, estimate, and bound."""

import math
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganvae.config import AnnealingSettings
from ganvae.core.seeds import generator
from ganvae.evaluation.densities import NoDensity, decoder_of
from ganvae.evaluation.parts import Parts
from ganvae.evaluation.peak import climb, most_tried
from ganvae.metrics.ais import Annealing, log_likelihood, simulated_bounds
from ganvae.models.base import GenerativeModel, evaluating
from ganvae.training.progress import Meter

TUNING_IMAGES = 20
"""The largest number of validation images on which the variance is chosen."""
TUNING_SHARE = 2
"""For the choice of the variance, the number of distributions is divided by this number.

Estimates with fewer distributions are lower, most of all at small variances. So a large number
here would favour large variances.
"""
AT_ONCE = 10
"""The number of images of a part, whose chains run at the same time. It limits the memory, and the
work that is lost if the process is killed."""


class Images(NamedTuple):
    """The images of an estimate: float32, N x C x H x W, in [0, 1]."""

    validation: Tensor
    test: Tensor


def estimate(
    model: GenerativeModel,
    images: Images,
    *,
    settings: AnnealingSettings,
    seed: int,
    name: str,
    parts: Parts,
) -> dict[str, Any]:
    """Choose the variance on validation images, and estimate the log-likelihood of test images.

    Args:
        model: after the call, its weights need no gradients.
        seed: the seed of the training run, from which the random numbers derive.
        name: the name of the training run, for the lines of progress.
        parts: the parts of this estimate that are finished already.

    Returns:
        The numbers of a `LikelihoodRecord`, without the CPU time.

    Raises:
        NoDensity: the samples of the model have no density, or the density is not finite.
    """
    decoder_of(model, settings.variances[0])  # fail before the first line of progress
    model.requires_grad_(False)
    steps = _steps(settings, len(images.validation), len(images.test))
    with evaluating(model), closing(Meter(name, steps)) as meter:
        estimator = _Estimator(model, settings, seed, parts, meter)
        candidates = estimator.candidates(images.validation)
        variance = max(candidates, key=lambda candidate: candidates[candidate])
        values = estimator.log_likelihood(images.test, variance)
        gaps = estimator.gaps(variance)
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

    The images are done in parts. Each part has random numbers of its own, which derive from the
    seed, the purpose and the number of the part. So a part does not depend on the parts before it.
    All candidates for the variance have the same random numbers.
    """

    def __init__(
        self,
        model: GenerativeModel,
        settings: AnnealingSettings,
        seed: int,
        parts: Parts,
        meter: Meter,
    ) -> None:
        self._model = model
        self._settings = settings
        self._seed = seed
        self._parts = parts
        self._meter = meter

    def candidates(self, validation: Tensor) -> dict[float, float]:
        """Return the mean log-likelihood of validation images for each variance that was tried.

        A variance whose mean is not finite is left out.
        """
        grid = _grid(self._settings)
        effort = _less(self._settings)

        def mean(place: int) -> float:
            return float(self._estimated("validation", validation, grid[place], effort).mean())

        tried = climb(mean, len(grid))
        untried = most_tried(len(grid)) - len(tried)
        self._meter.count(untried * effort.transitions * _batches(len(validation)))
        finite = {grid[p]: value for p, value in sorted(tried.items()) if math.isfinite(value)}
        if not finite:
            raise NoDensity("the log-likelihood of validation images is not finite")
        return finite

    def log_likelihood(self, test: Tensor, variance: float) -> Tensor:
        """Estimate log p(x) of each test image: N values, in nats."""
        return self._estimated("test", test, variance, _full(self._settings))

    def gaps(self, variance: float) -> Tensor:
        """Return upper bound minus lower bound of log p(x) of each simulated image, in nats."""
        decoder, effort = decoder_of(self._model, variance), _full(self._settings)

        def gaps_of(places: Tensor, random: torch.Generator) -> Tensor:
            bounds = simulated_bounds(decoder, len(places), effort, random, self._meter.count)
            return bounds.upper - bounds.lower

        what = _What("simulated", variance, "gap", effort.transitions_of_bounds)
        return self._in_parts(what, self._settings.simulated, gaps_of)

    def _estimated(self, split: str, images: Tensor, variance: float, effort: Annealing) -> Tensor:
        decoder = decoder_of(self._model, variance)

        def values_of(places: Tensor, random: torch.Generator) -> Tensor:
            part = images[places].to(self._model.device)
            return log_likelihood(decoder, part, effort, random, self._meter.count)

        self._meter.row = {"variance": variance}
        what = _What(split, variance, "log_likelihood", effort.transitions)
        return self._in_parts(what, len(images), values_of)

    def _in_parts(
        self, what: "_What", n: int, compute: Callable[[Tensor, torch.Generator], Tensor]
    ) -> Tensor:
        """Compute one value per image, part by part. Finished parts are not computed again.

        Args:
            n: the number of images.
            compute: a function from the places of a part's images, and a random generator, to
                their values.
        """
        found = []
        for number, places in enumerate(torch.arange(n).split(AT_ONCE)):
            name = f"{what.images} {what.variance} {number}"
            if name in self._parts:
                self._meter.count(what.transitions)
            random = self._random(what.images, number)
            found.append(self._parts.part(name, partial(compute, places, random)))
            self._meter.row |= {what.values: float(torch.cat(found).mean())}
        return torch.cat(found)

    def _random(self, images: str, part: int) -> torch.Generator:
        device = str(self._model.device)
        return generator(self._settings.seed, f"annealed {images}", self._seed, part, device=device)


class _What(NamedTuple):
    """What is computed in parts: on which images, with which variance, which values.

    Attributes:
        transitions: the number of transitions of one part.
    """

    images: str
    variance: float
    values: str
    transitions: int


def _steps(settings: AnnealingSettings, validation: int, test: int) -> int:
    """Return the number of transitions of an estimate, with as many candidates as can be tried.

    Args:
        validation, test: numbers of images.
    """
    effort, tried = _full(settings), most_tried(len(_grid(settings)))
    choice = tried * _less(settings).transitions * _batches(validation)
    bounds = effort.transitions_of_bounds * _batches(settings.simulated)
    return choice + effort.transitions * _batches(test) + bounds


def _grid(settings: AnnealingSettings) -> list[float]:
    """Return the candidates for the variance, in ascending order."""
    return sorted(set(settings.variances))


def _full(settings: AnnealingSettings) -> Annealing:
    """Return the effort on test images and on simulated images."""
    return _effort(settings, settings.distributions)


def _less(settings: AnnealingSettings) -> Annealing:
    """Return the effort on validation images."""
    return _effort(settings, max(1, settings.distributions // TUNING_SHARE))


def _effort(settings: AnnealingSettings, distributions: int) -> Annealing:
    return Annealing(distributions, chains=settings.chains, leapfrog_steps=settings.leapfrog_steps)


def _batches(images: int) -> int:
    return math.ceil(images / AT_ONCE)

"""Log-likelihood of a decoder by annealed importance sampling (Wu et al., 1611.04273).

x is an image, z a latent. p(x|z) is a Gaussian around the decoded latent, with one variance for all
pixels. The chains of latents start in the prior p(z). They pass through T distributions
p_t(z) proportional to p(z) p(x|z)^beta_t, and end in the posterior p(z|x).

All tensors are on the device of the generator of random numbers.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from ganvae.metrics.watch import Watch, unwatched
from ganvae.models.vae import log_mean_exp

ACCEPTANCE = 0.65
"""The acceptance rate at which Hamiltonian Monte Carlo works best (1206.1901, section 5.2)."""
FIRST_STEP_SIZE = 0.1
ADAPTATION = 0.1
"""How far the logarithm of a step size moves for each unit of acceptance off `ACCEPTANCE`."""
JITTER = 0.2
"""The largest random change of a step size, as a share of the step size."""
SLOPE = 4.0
"""The schedule of the inverse temperatures is the sigmoid from -SLOPE to SLOPE.

This is the schedule of the published code. Its steps are smallest near 0 and 1.
"""


class LatentDensity(NamedTuple):
    """A distribution of latents with a density.

    Attributes:
        draw: a function that draws latents, from their number and a generator: n x latent size.
        log_density: a function from latents to the logarithms of their densities: n values. It is
            differentiable.
    """

    draw: Callable[[int, torch.Generator], Tensor]
    log_density: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Decoder:
    """p(z), and p(x|z) = N(decode(z), variance * I).

    Attributes:
        decode: a differentiable function from latents, n x latent size, to images, n x C x H x W.
        variance: of each pixel, for pixels in [0, 1].
    """

    latents: LatentDensity
    decode: Callable[[Tensor], Tensor]
    variance: float

    def log_likelihood(self, images: Tensor, latents: Tensor) -> Tensor:
        """Return log p(x|z) of each pair of an image and a latent: n values, in nats."""
        error = (images - self.decode(latents)).square().flatten(start_dim=1).sum(dim=1)
        pixels = images[0].numel()
        return -error / (2 * self.variance) - pixels / 2 * math.log(2 * math.pi * self.variance)


@dataclass(frozen=True)
class Annealing:
    """How much effort annealed importance sampling takes.

    Attributes:
        distributions: the number T of distributions between prior and posterior.
        chains: the number of chains per image.
        pilots: the number of chains per image in the first pass, which sets the step sizes.
        leapfrog_steps: per transition.
    """

    distributions: int
    chains: int = 16
    pilots: int = 4
    leapfrog_steps: int = 10

    @property
    def transitions(self) -> int:
        """The number of transitions of `log_likelihood`: of the first pass and of the chains."""
        return (self.distributions + 1) + (self.distributions - 1)

    @property
    def transitions_of_bounds(self) -> int:
        """The number of transitions of `simulated_bounds`, whose chains also run back."""
        return self.transitions + (self.distributions - 1)

    @property
    def betas(self) -> Tensor:
        """The T + 1 inverse temperatures, from 0 to 1: a sigmoid, steep in the middle."""
        line = torch.linspace(-SLOPE, SLOPE, self.distributions + 1, dtype=torch.float64)
        curve = torch.sigmoid(line)
        return (curve - curve[0]) / (curve[-1] - curve[0])


class Bounds(NamedTuple):
    """Bounds on log p(x) of images that the model has drawn: one value per image, in nats.

    In expectation, ``lower`` is below log p(x) and ``upper`` is above it (1511.02543).
    """

    lower: Tensor
    upper: Tensor


def log_likelihood(
    decoder: Decoder,
    images: Tensor,
    annealing: Annealing,
    random: torch.Generator,
    watch: Watch = unwatched,
) -> Tensor:
    """Estimate log p(x) of each image: N values, float64, in nats.

    The estimate is a lower bound in expectation. It rises with the number of distributions. The
    step sizes are fixed before the chains start: a first pass with a few chains finds them. So the
    chains are valid, however well the step sizes were found.

    Args:
        images: N x C x H x W, with pixels in [0, 1].
        random: the source of all random numbers.
        watch: called `Annealing.transitions` times.
    """
    return _forward(_Task(decoder, annealing, random, watch), images)[0]


def simulated_bounds(
    decoder: Decoder,
    n: int,
    annealing: Annealing,
    random: torch.Generator,
    watch: Watch = unwatched,
) -> Bounds:
    """Bound log p(x) of ``n`` images that the model draws, from below and above.

    The latent of a drawn image is an exact draw from the posterior. So chains that start there and
    run back to the prior give an upper bound (bidirectional Monte Carlo: Grosse et al.,
    1511.02543). The gap between the bounds is the error that `log_likelihood` can have.

    Args:
        random: the source of all random numbers.
        watch: called `Annealing.transitions_of_bounds` times.
    """
    latents = decoder.latents.draw(n, random)
    with torch.no_grad():
        means = decoder.decode(latents)
    noise = torch.randn(means.shape, generator=random, dtype=means.dtype, device=random.device)
    images = means + math.sqrt(decoder.variance) * noise
    task = _Task(decoder, annealing, random, watch)
    lower, step_sizes = _forward(task, images)
    weights = _Chains(task, images, annealing.chains).reverse(latents, step_sizes)
    return Bounds(lower, -log_mean_exp(-weights))


class _Task(NamedTuple):
    """The arguments that all chains of an estimate share."""

    decoder: Decoder
    annealing: Annealing
    random: torch.Generator
    watch: Watch


def _forward(task: _Task, images: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return the estimates of log p(x), and the step sizes of each transition: N values each."""
    step_sizes = _Chains(task, images, task.annealing.pilots).tune()
    weights = _Chains(task, images, task.annealing.chains).forward(step_sizes)
    return log_mean_exp(weights), step_sizes


class _State(NamedTuple):
    """Latents of all chains, with both parts of the log-density and their gradients."""

    latents: Tensor
    log_prior: Tensor
    log_likelihood: Tensor
    prior_slope: Tensor
    likelihood_slope: Tensor

    def log_density(self, beta: float) -> Tensor:
        return self.log_prior.double() + beta * self.log_likelihood.double()

    def slope(self, beta: float) -> Tensor:
        return self.prior_slope + beta * self.likelihood_slope


class _Chains:
    """Chains of Hamiltonian Monte Carlo (1206.1901), several for each image."""

    def __init__(self, task: _Task, images: Tensor, per_image: int) -> None:
        self._decoder, self._annealing, self._random, self._watch = task
        self._betas: list[float] = task.annealing.betas.tolist()
        self._per_image = per_image
        self._images = images.repeat(per_image, 1, 1, 1)

    def tune(self) -> list[Tensor]:
        """Run the chains from prior to posterior, and find a step size for each transition."""
        images = len(self._images) // self._per_image
        log_step = torch.full((images,), math.log(FIRST_STEP_SIZE), device=self._random.device)
        found = []
        state = self._start()
        for beta in self._betas:
            found.append(log_step.exp())
            state, accepted = self._move(state, beta, found[-1])
            log_step = log_step + ADAPTATION * (self._by_image(accepted).mean(dim=0) - ACCEPTANCE)
        return found

    def forward(self, step_sizes: list[Tensor]) -> Tensor:
        """Run the chains from prior to posterior. Return their log weights: chains x N."""
        state = self._start()
        weights = torch.zeros_like(state.log_likelihood, dtype=torch.float64)
        for t, (before, beta) in enumerate(pairwise(self._betas), start=1):
            weights += (beta - before) * state.log_likelihood
            if t < self._annealing.distributions:  # a later move would change no weight
                state, _ = self._move(state, beta, step_sizes[t])
        return self._by_image(weights)

    def reverse(self, latents: Tensor, step_sizes: list[Tensor]) -> Tensor:
        """Run the chains from posterior to prior. Return their log weights: chains x N.

        Args:
            latents: a draw from the posterior of each image.
        """
        state = self._at(latents.repeat(self._per_image, 1))
        weights = torch.zeros_like(state.log_likelihood, dtype=torch.float64)
        for t in range(self._annealing.distributions, 0, -1):
            before, beta = self._betas[t - 1 : t + 1]
            if t < self._annealing.distributions:  # the start is a draw from the last distribution
                state, _ = self._move(state, beta, step_sizes[t])
            weights += (beta - before) * state.log_likelihood
        return self._by_image(weights)

    def _start(self) -> _State:
        return self._at(self._decoder.latents.draw(len(self._images), self._random))

    def _at(self, latents: Tensor) -> _State:
        with torch.enable_grad():
            latents = latents.detach().requires_grad_()
            prior = self._decoder.latents.log_density(latents)
            likelihood = self._decoder.log_likelihood(self._images, latents)
            (prior_slope,) = torch.autograd.grad(prior.sum(), latents)
            (likelihood_slope,) = torch.autograd.grad(likelihood.sum(), latents)
        found = latents, prior, likelihood, prior_slope, likelihood_slope
        return _State(*(part.detach() for part in found))

    def _move(self, state: _State, beta: float, step_sizes: Tensor) -> tuple[_State, Tensor]:
        """Make one transition. Return the new state, and which chains accepted their proposal."""
        # Steps of one size could bring a chain back to where it started (1206.1901, section 4.2).
        jitter = 1 + JITTER * (2 * self._noise(torch.rand, state.log_prior.shape) - 1)
        step = (jitter * step_sizes.repeat(self._per_image))[:, None]
        momentum = self._noise(torch.randn, state.latents.shape)
        # The log-density of latents and momentum together, which is minus the energy.
        log_density = state.log_density(beta) - _kinetic(momentum)
        proposal = state
        for _ in range(self._annealing.leapfrog_steps):
            momentum = momentum + step / 2 * proposal.slope(beta)
            proposal = self._at(proposal.latents + step * momentum)
            momentum = momentum + step / 2 * proposal.slope(beta)
        gain = proposal.log_density(beta) - _kinetic(momentum) - log_density
        # The comparison is false for a proposal with NaN, so such a proposal is rejected.
        accepted = self._noise(torch.rand, gain.shape).log() < gain
        self._watch()
        parts = zip(proposal, state, strict=True)
        return _State(*(_where(accepted, new, old) for new, old in parts)), accepted.float()

    def _noise(self, draw: Callable[..., Tensor], shape: torch.Size) -> Tensor:
        return draw(shape, generator=self._random, device=self._random.device)

    def _by_image(self, values: Tensor) -> Tensor:
        """Shape a value per chain as chains x N."""
        return values.unflatten(0, (self._per_image, -1))


def _kinetic(momentum: Tensor) -> Tensor:
    return momentum.double().square().sum(dim=1) / 2


def _where(chosen: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(chosen if new.dim() == 1 else chosen[:, None], new, old)

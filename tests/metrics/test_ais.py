"""Annealed importance sampling against closed forms: linear decoders have a Gaussian p(x)."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from ganvae.metrics.ais import (
    Annealing,
    Decoder,
    LatentDensity,
    log_likelihood,
    simulated_bounds,
)

SHAPE = (1, 4, 4)
LATENTS = 3
VARIANCE = 0.02


def standard_normal(size: int) -> LatentDensity:
    return LatentDensity(
        draw=lambda n, random: torch.randn(n, size, generator=random),
        log_density=lambda z: -z.square().sum(dim=1) / 2 - size / 2 * math.log(2 * math.pi),
    )


WEIGHTS = torch.randn(16, LATENTS, generator=torch.Generator().manual_seed(1)) / 3
BIAS = torch.rand(16, generator=torch.Generator().manual_seed(2))


def linear(latents: Tensor) -> Tensor:
    return (latents @ WEIGHTS.T + BIAS).unflatten(1, SHAPE)


@pytest.fixture
def decoder() -> Decoder:
    return Decoder(standard_normal(LATENTS), linear, VARIANCE)


def exact(images: Tensor) -> Tensor:
    covariance = WEIGHTS.double() @ WEIGHTS.double().T + VARIANCE * torch.eye(16).double()
    return MultivariateNormal(BIAS.double(), covariance).log_prob(images.flatten(1).double())


def images(n: int) -> Tensor:
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(3))


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_pin_26_the_likelihood_of_a_linear_decoder_is_exact(decoder: Decoder) -> None:
    found = log_likelihood(decoder, images(8), Annealing(400), seeded())
    error = found - exact(images(8))
    assert error.abs().max() < 0.6
    assert error.mean().abs() < 0.1


def test_few_distributions_bound_the_likelihood_from_below(decoder: Decoder) -> None:
    truth = exact(images(8)).mean()
    rough, fine = (
        log_likelihood(decoder, images(8), Annealing(n, chains=1), seeded()).mean()
        for n in (2, 100)
    )
    assert rough < fine - 10
    assert fine < truth + 0.1


def exact_of_drawn(decoder: Decoder, n: int) -> Tensor:
    """log p(x) of the images that `simulated_bounds` draws with `seeded` random numbers."""
    random = seeded()
    latents = decoder.latents.draw(n, random)
    noise = torch.randn(n, *SHAPE, generator=random)
    return exact(linear(latents) + math.sqrt(VARIANCE) * noise)


def test_pin_26_both_bounds_hold_the_likelihood_of_drawn_images(decoder: Decoder) -> None:
    """With few distributions, the bounds are far apart."""
    wide = simulated_bounds(decoder, 40, Annealing(3, chains=2), seeded())
    truth = exact_of_drawn(decoder, 40).mean()
    assert wide.lower.mean() < truth - 1
    assert wide.upper.mean() > truth + 1


def test_the_bounds_of_drawn_images_are_those_of_their_likelihood(decoder: Decoder) -> None:
    narrow = simulated_bounds(decoder, 8, Annealing(400), seeded())
    truth = exact_of_drawn(decoder, 8)
    assert (narrow.lower - truth).abs().max() < 0.6
    assert (narrow.upper - truth).abs().max() < 0.6
    assert (narrow.upper - narrow.lower).mean().abs() < 0.2


def test_a_mixture_prior_has_a_mixture_likelihood() -> None:
    centres = torch.tensor([[-2.0, 0.0, 1.0], [2.0, 1.0, -1.0]])

    def log_density(z: Tensor) -> Tensor:
        parts = -(z[:, None] - centres).square().sum(dim=2) / 2
        return parts.logsumexp(dim=1) - math.log(2) - 1.5 * math.log(2 * math.pi)

    def draw(n: int, random: torch.Generator) -> Tensor:
        which = torch.randint(2, (n,), generator=random)
        return centres[which] + torch.randn(n, LATENTS, generator=random)

    decoder = Decoder(LatentDensity(draw, log_density), linear, 0.5)
    covariance = WEIGHTS.double() @ WEIGHTS.double().T + 0.5 * torch.eye(16).double()
    parts = [MultivariateNormal(linear(c[None]).flatten().double(), covariance) for c in centres]
    flat = images(6).flatten(1).double()
    truth = torch.stack([part.log_prob(flat) for part in parts]).logsumexp(dim=0) - math.log(2)
    found = log_likelihood(decoder, images(6), Annealing(300, chains=64), seeded())
    assert (found - truth).abs().max() < 0.6
    assert (found - truth).mean().abs() < 0.15


def test_the_same_seed_gives_the_same_numbers(decoder: Decoder) -> None:
    first, second = (
        log_likelihood(decoder, images(4), Annealing(20, chains=2), seeded()) for _ in range(2)
    )
    assert torch.equal(first, second)


def test_every_transition_is_counted(decoder: Decoder) -> None:
    annealing, calls = Annealing(7, chains=2), []
    log_likelihood(decoder, images(3), annealing, seeded(), lambda: calls.append("one"))
    assert len(calls) == annealing.transitions
    simulated_bounds(decoder, 3, annealing, seeded(), lambda: calls.append("one"))
    assert len(calls) == annealing.transitions + annealing.transitions_of_bounds

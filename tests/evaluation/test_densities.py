"""The densities of latents, against the draws of the models."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from ganvae.evaluation.densities import NoDensity, decoder_of, prior_of
from ganvae.models.base import GenerativeModel, evaluating
from ganvae.models.mixture import Mixture
from ganvae.models.registry import build_model, system_config

SHAPE = (1, 28, 28)
N = 3000


def built(system: str, **values: Any) -> GenerativeModel:
    return build_model(system, system_config(system, {"latent_size": 3} | values), SHAPE, seed=0)


def gan(**values: Any) -> GenerativeModel:
    channels = {"generator_channels": [8, 4], "discriminator_channels": [4, 8]}
    return built("dcgan", **channels | values)


def vae(prior: str) -> GenerativeModel:
    model = built(
        "bernoulli-vae", hidden=[16], prior=prior, prior_components=3, second_stage_steps=20
    )
    images = torch.randint(256, (200, *SHAPE), generator=seeded(1)).to(torch.uint8)
    model.fit_sampling(images, seeded(2))
    return model


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


MODELS = {
    "normal": gan,
    "uniform": lambda: gan(prior="uniform"),
    "truncated": lambda: gan(truncation=0.7),
    "truncated uniform": lambda: gan(prior="uniform", truncation=0.5),
    "plain VAE": lambda: vae("normal"),
    "mixture": lambda: vae("mixture"),
    "second stage": lambda: vae("second-stage"),
}


@pytest.mark.parametrize("name", MODELS)
def test_pin_26_images_of_the_density_are_distributed_as_samples_are(name: str) -> None:
    model = MODELS[name]()
    decoder = decoder_of(model, variance=0.01)
    with evaluating(model):
        images = decoder.decode(decoder.latents.draw(N, seeded(3)))
        samples = model.sample(N, seeded(4))
    found, expected = (x.flatten(start_dim=1).double().numpy() for x in (images, samples))
    # Projections on a few directions: two images with the same law have the same projections.
    directions = np.random.default_rng(0).normal(size=(found.shape[1], 4))
    pairs = zip((found @ directions).T, (expected @ directions).T, strict=True)
    assert min(stats.ks_2samp(a, b).pvalue for a, b in pairs) > 0.001


@pytest.mark.parametrize("name", ["normal", "mixture", "second stage"])
def test_a_density_integrates_to_one_against_another(name: str) -> None:
    latents = decoder_of(MODELS[name](), variance=0.01).latents
    draws = latents.draw(200_000, seeded(5))
    wide = torch.distributions.MultivariateNormal(draws.mean(dim=0), 2 * covariance(draws))
    others = wide.sample((200_000,))
    ratios = (latents.log_density(others) - wide.log_prob(others)).exp()
    assert ratios.mean() == pytest.approx(1, abs=0.05)


def covariance(draws: Tensor) -> Tensor:
    return torch.cov(draws.T)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_reach_the_latents(name: str) -> None:
    decoder = decoder_of(MODELS[name](), variance=0.01)
    latents = decoder.latents.draw(2, seeded(6)).requires_grad_()
    images = torch.rand(2, *SHAPE, generator=seeded(7))
    total = decoder.latents.log_density(latents) + decoder.log_likelihood(images, latents)
    (slope,) = torch.autograd.grad(total.sum(), latents)
    assert slope.isfinite().all()
    assert slope.abs().min() > 0


def test_rejected_samples_have_no_density() -> None:
    with pytest.raises(NoDensity, match="the discriminator accepts samples"):
        decoder_of(gan(rejection=80.0), variance=0.01)


def uniform_latents(model: GenerativeModel, n: int, generator: torch.Generator) -> Tensor:
    """Draw latents from U[5, 6]: far from every prior of this program."""
    return 5 + torch.rand(n, model.latent_size, generator=generator)


@pytest.mark.parametrize("method", ["sample_latents", "sample_prior", "fit_sampling", "sample"])
@pytest.mark.parametrize("name", ["normal", "plain VAE", "mixture"])
def test_samples_of_a_subclass_that_draws_otherwise_have_no_density(name: str, method: str) -> None:
    model = MODELS[name]()
    model.__class__ = type("Mine", (type(model),), {method: uniform_latents, "name": "mine.py"})
    with pytest.raises(NoDensity, match=r"mine\.py draws its samples in a way of its own"):
        decoder_of(model, variance=0.01)
    assert prior_of(model) == "unknown"


def test_samples_from_an_unknown_fitted_prior_have_no_density() -> None:
    model = MODELS["mixture"]()
    prior = model.fitted_prior
    prior.__class__ = type("Mine", (Mixture,), {"sample": uniform_latents})
    with pytest.raises(NoDensity, match="in a way of its own"):
        decoder_of(model, variance=0.01)
    assert prior_of(model) == "unknown"


def test_a_subclass_with_another_network_keeps_its_density() -> None:
    model = MODELS["plain VAE"]()
    model.__class__ = type("Mine", (type(model),), {"name": "mine.py"})
    assert decoder_of(model, variance=0.01)
    assert prior_of(model) == "normal"


def test_each_prior_has_a_name() -> None:
    assert {name: prior_of(build()) for name, build in MODELS.items()} == {
        "normal": "normal",
        "uniform": "uniform",
        "truncated": "truncated normal",
        "truncated uniform": "truncated uniform",
        "plain VAE": "normal",
        "mixture": "mixture",
        "second stage": "second-stage",
    }


def test_unused_components_of_a_mixture_do_not_change_its_density() -> None:
    """With fewer encodings than components, the other components have no covariance."""
    model = built("bernoulli-vae", hidden=[16], prior="mixture", prior_components=5)
    prior = model.fitted_prior
    assert isinstance(prior, Mixture)
    prior.fit(torch.randn(2, 3, generator=seeded(8)), torch.zeros(2, 3), seeded(9))
    weights, means, factors = (
        buffer[:2].double().numpy() for buffer in (prior.weights, prior.means, prior.factors)
    )
    latent = np.array([0.3, -0.2, 0.1])
    truth = sum(
        weight * stats.multivariate_normal(mean, factor @ factor.T).pdf(latent)
        for weight, mean, factor in zip(weights, means, factors, strict=True)
    )
    found = prior.log_density(torch.from_numpy(latent[None]).float())
    assert found.exp().item() == pytest.approx(truth, rel=1e-3)

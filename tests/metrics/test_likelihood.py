"""The importance-weighted bound on a model whose likelihood is known."""

import math

import pytest
import torch
from torch import Tensor

from conftest import stripes, tiny_model
from ganvae.config import Params
from ganvae.images import binarised, from_uint8
from ganvae.metrics import likelihood
from ganvae.metrics.likelihood import importance_weighted_bound
from ganvae.models.base import evaluating
from ganvae.models.losses import bernoulli_cross_entropy
from ganvae.models.vae import AutoencodingModel
from ganvae.seeds import generator


class LinearGaussian:
    """p(z) = N(0, I), p(x|z) = N(w z, s^2 I) with orthogonal columns: all of it in closed form.

    It stands where `importance_weighted_bound` takes its log-weights from; the "logits" are the
    means of x.
    """

    scale = 0.7

    def __init__(self, off: float) -> None:
        self.weights = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.5, 0.0], [0.0, -1.0]])
        self.off = off  # how far q is from the posterior

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        lengths = self.weights.square().sum(dim=0)
        variance = 1 / (1 + lengths / self.scale**2)
        return x @ self.weights * variance / self.scale**2 + self.off, (
            variance.log() + self.off
        ).expand(len(x), 2)

    def log_likelihood(self, x: Tensor) -> Tensor:
        covariance = self.weights @ self.weights.T + self.scale**2 * torch.eye(4)
        return torch.distributions.MultivariateNormal(torch.zeros(4), covariance).log_prob(x)

    def log_conditional(self, means: Tensor, x: Tensor) -> Tensor:
        return torch.distributions.Normal(means, self.scale).log_prob(x).sum(dim=1)


def bound(model: LinearGaussian, x: Tensor, k: int, seed: int = 0) -> Tensor:
    """The bound of each row, by the module's own weights and the closed form's densities."""
    random = generator(seed, "importance")
    rows = []
    for row in x.split(1):
        mean, log_variance = model.posterior(row)
        noise = torch.randn(k, 2, generator=random)
        latents = likelihood.drawn(mean, log_variance, noise)
        given = model.log_conditional(latents @ model.weights.T, row)
        weights = likelihood.log_weights(given, latents, noise, log_variance)
        rows.append(likelihood.log_mean_exp(weights))
    return torch.stack(rows)


def observations(n: int) -> Tensor:
    return 2 * torch.randn(n, 4, generator=torch.Generator().manual_seed(1))


def test_pin_12_exact_on_a_linear_gaussian_model_with_its_posterior() -> None:
    model, x = LinearGaussian(off=0), observations(5)
    for k in (1, 7):
        assert bound(model, x, k).tolist() == pytest.approx(
            model.log_likelihood(x).tolist(), abs=1e-4
        )


def test_pin_12_monotone_in_k_and_below_the_likelihood() -> None:
    model, x = LinearGaussian(off=0.5), observations(400)
    means = [float(bound(model, x, k).mean()) for k in (1, 3, 10, 100)]
    truth = float(model.log_likelihood(x).mean())
    assert means == sorted(means)
    assert means[0] < truth - 0.5
    assert means[-1] == pytest.approx(truth, abs=0.05)
    assert means[-1] < truth + 0.01


@pytest.fixture
def vae(smoke: Params) -> AutoencodingModel:
    model = tiny_model(smoke, "bernoulli-vae")
    assert isinstance(model, AutoencodingModel)
    return model


@pytest.fixture
def bits() -> Tensor:
    return from_uint8(binarised(stripes(30)[0], generator(0, "bits")))


def test_pin_12_of_a_vae_is_the_definition(vae: AutoencodingModel, bits: Tensor) -> None:
    found = importance_weighted_bound(vae, bits[:1], k=50, random=generator(0, "x"))
    noise = torch.randn(50, vae.latent_size, generator=generator(0, "x"))
    with evaluating(vae):
        mean, log_variance = vae.encode(bits[:1])
        deviation = (log_variance / 2).exp()
        z = mean + deviation * noise
        logits = vae.decode_logits(z)
        prior = torch.distributions.Normal(0, 1).log_prob(z).sum(dim=1)
        posterior = torch.distributions.Normal(mean, deviation).log_prob(z).sum(dim=1)
        given = -bernoulli_cross_entropy(logits, bits[:1].expand_as(logits))
    expected = torch.logsumexp(given + prior - posterior, dim=0) - math.log(50)
    assert float(found) == pytest.approx(float(expected), rel=1e-6)


def test_pin_12_k_of_one_is_the_elbo_on_average(vae: AutoencodingModel, bits: Tensor) -> None:
    draws = [
        importance_weighted_bound(vae, bits, k=1, random=generator(seed, "x")).mean()
        for seed in range(40)
    ]
    noise = torch.randn(len(bits), vae.latent_size, generator=generator(0, "y"))
    with evaluating(vae):
        elbo = vae.elbo(bits, noise).mean()
    assert float(torch.stack(draws).mean()) == pytest.approx(float(elbo), rel=1e-3)


def test_pin_9_the_pass_does_not_matter(
    vae: AutoencodingModel, bits: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = importance_weighted_bound(vae, bits, k=20, random=generator(0, "x"))
    monkeypatch.setattr(likelihood, "LATENTS_A_PASS", 7)
    parts = importance_weighted_bound(vae, bits, k=20, random=generator(0, "x"))
    torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-4)
    halves = generator(0, "x")
    both = [importance_weighted_bound(vae, half, k=20, random=halves) for half in bits.split(15)]
    torch.testing.assert_close(torch.cat(both), whole, rtol=1e-5, atol=1e-4)


def test_grey_images_and_other_likelihoods_are_refused(
    vae: AutoencodingModel, bits: Tensor, smoke: Params
) -> None:
    with pytest.raises(ValueError, match="of binary images"):
        importance_weighted_bound(vae, bits / 2, k=1, random=generator(0, "x"))
    other = tiny_model(smoke, "conv-vae")
    assert isinstance(other, AutoencodingModel)
    with pytest.raises(ValueError, match="Bernoulli decoder"):
        importance_weighted_bound(other, bits, k=1, random=generator(0, "x"))

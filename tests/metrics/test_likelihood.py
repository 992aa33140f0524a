"""The importance-weighted bound, for models with a known likelihood and for VAEs."""

import math
from itertools import product
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from conftest import stripes, tiny_model
from ganvae.config import Params
from ganvae.core.images import binarised, from_uint8
from ganvae.core.seeds import generator
from ganvae.metrics import likelihood
from ganvae.metrics.likelihood import importance_weighted_bound
from ganvae.models.base import Likelihood, evaluating
from ganvae.models.losses import RECONSTRUCTION_LOSSES, bernoulli_cross_entropy
from ganvae.models.registry import system_config
from ganvae.models.systems.bernoulli_vae import BernoulliVAEConfig
from ganvae.models.vae import VAE, AutoencodingModel


class LinearGaussian(VAE):
    """p(z) = N(0, I) and p(x|z) = N(w z, s^2 I) with orthogonal columns of w.

    Likelihood and posterior have closed forms. The "logits" are the means of x. An image has four
    pixels, black or white, because the bound requires binary images.
    """

    likelihood: ClassVar[Likelihood] = "bernoulli"
    scale = 0.7

    def __init__(self, off: float, k: int = 1) -> None:
        """``off`` is the distance of q from the posterior, ``k`` the latents per training step."""
        values = {"latent_size": 2, "importance_samples": k}
        config = system_config("bernoulli-vae", values)
        assert isinstance(config, BernoulliVAEConfig)
        super().__init__(config, (1, 1, 4))
        self.weights = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.5, 0.0], [0.0, -1.0]])
        variance = 1 / (1 + self.weights.square().sum(dim=0) / self.scale**2)
        posterior = nn.Linear(4, 4)
        with torch.no_grad():
            mean = self.weights * variance / self.scale**2
            posterior.weight.copy_(torch.cat([mean.T, torch.zeros(2, 4)]))
            posterior.bias.copy_(torch.cat([torch.zeros(2), variance.log()]) + off)
        self.encoder = nn.Sequential(nn.Flatten(), posterior)

    def decode_logits(self, latents: Tensor) -> Tensor:
        return (latents @ self.weights.T).unflatten(1, self.image_shape)

    def log_likelihood(self, images: Tensor) -> Tensor:
        covariance = self.weights @ self.weights.T + self.scale**2 * torch.eye(4)
        density = torch.distributions.MultivariateNormal(torch.zeros(4), covariance)
        return density.log_prob(images.flatten(start_dim=1))

    @classmethod
    def loss(cls, means: Tensor, images: Tensor) -> Tensor:
        """-log p(x|z), used in the place of the Bernoulli cross-entropy."""
        return -torch.distributions.Normal(means, cls.scale).log_prob(images).sum(dim=(1, 2, 3))


@pytest.fixture
def gaussian_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RECONSTRUCTION_LOSSES, "bernoulli", LinearGaussian.loss)


def observations(copies: int = 1) -> Tensor:
    """All sixteen black and white images of four pixels."""
    images = list(product((0.0, 1.0), repeat=4))
    return torch.tensor(images).reshape(-1, 1, 1, 4).repeat(copies, 1, 1, 1)


@pytest.mark.usefixtures("gaussian_pixels")
def test_pin_12_exact_on_a_linear_gaussian_model_with_its_posterior() -> None:
    model, x = LinearGaussian(off=0), observations()
    for k in (1, 7):
        bounds = importance_weighted_bound(model, x, k=k, random=generator(0, "x"))
        assert bounds.tolist() == pytest.approx(model.log_likelihood(x).tolist(), abs=1e-4)


@pytest.mark.usefixtures("gaussian_pixels")
def test_pin_12_the_training_loss_is_exact_for_any_k() -> None:
    for k in (2, 7):
        model, x = LinearGaussian(off=0, k=k), observations()
        losses = model.train_step(x, model.optimizers(), generator(0, "x"))
        assert float(losses["loss"]) == pytest.approx(-float(model.log_likelihood(x).mean()))


@pytest.mark.usefixtures("gaussian_pixels")
def test_pin_12_monotone_in_k_and_below_the_likelihood() -> None:
    model, x = LinearGaussian(off=0.5), observations(copies=25)
    truth = float(model.log_likelihood(x).mean())
    means = [
        float(importance_weighted_bound(model, x, k=k, random=generator(0, "x")).mean())
        for k in (1, 3, 10, 100)
    ]
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
    bound = importance_weighted_bound(vae, bits[:1], k=50, random=generator(0, "x"))
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
    assert float(bound) == pytest.approx(float(expected), rel=1e-6)


def test_pin_12_k_of_one_is_the_elbo_on_average(vae: AutoencodingModel, bits: Tensor) -> None:
    draws = [
        importance_weighted_bound(vae, bits, k=1, random=generator(seed, "x")).mean()
        for seed in range(40)
    ]
    noise = torch.randn(len(bits), vae.latent_size, generator=generator(0, "y"))
    with evaluating(vae):
        elbo = vae.elbo(bits, noise).mean()
    assert float(torch.stack(draws).mean()) == pytest.approx(float(elbo), rel=1e-3)


def test_pin_9_the_number_of_latents_per_pass_does_not_matter(
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
    with pytest.raises(ValueError, match="and binary images: "):
        importance_weighted_bound(vae, bits / 2, k=1, random=generator(0, "x"))
    other = tiny_model(smoke, "conv-vae")
    assert isinstance(other, AutoencodingModel)
    with pytest.raises(ValueError, match="Bernoulli decoder"):
        importance_weighted_bound(other, bits, k=1, random=generator(0, "x"))


def test_the_watch_is_called_after_each_image(vae: AutoencodingModel, bits: Tensor) -> None:
    calls: list[None] = []
    importance_weighted_bound(
        vae, bits, k=1, random=generator(0, "x"), watch=lambda: calls.append(None)
    )
    assert len(calls) == len(bits)

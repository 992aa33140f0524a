"""The ELBO, its two terms and the importance-weighted bound, for every system with an ELBO."""

import math

import pytest
import torch
from gradients import recorders
from networks import random
from torch import Tensor, nn
from torch.distributions import Bernoulli, Normal, kl_divergence

from conftest import GREY, stripes, tiny_model
from ganvae.config import Params
from ganvae.core.errors import ConfigError
from ganvae.core.images import binarised, from_uint8
from ganvae.metrics import likelihood
from ganvae.metrics.likelihood import importance_weighted_bound
from ganvae.models import vae as module
from ganvae.models.base import ImageShape
from ganvae.models.priors import standard_normal
from ganvae.models.registry import build_model, system_class, system_config, system_names
from ganvae.models.vae import VAE, AutoencodingModel, log_mean_exp

NAMES = [name for name in system_names() if issubclass(system_class(name), AutoencodingModel)]
every_model = pytest.mark.parametrize("name", NAMES)


def vae(smoke: Params, name: str, shape: ImageShape = GREY) -> AutoencodingModel:
    model = tiny_model(smoke, name, shape)
    assert isinstance(model, AutoencodingModel)
    return model


def log_likelihood(model: AutoencodingModel, images: Tensor, latents: Tensor) -> Tensor:
    """log p(x|z) per image, computed by torch.distributions: N."""
    means = model.generate(latents)
    pixels = {
        "bernoulli": Bernoulli(means, validate_args=False),
        "gaussian": Normal(means, math.sqrt(0.5)),
    }
    return pixels[model.likelihood].log_prob(images).sum(dim=(1, 2, 3))


def test_the_list_of_systems_with_an_elbo_is_complete() -> None:
    assert NAMES == ["bernoulli-vae", "conv-vae", "vae-gan"]
    assert {name for name in system_names() if system_class(name).family == "vae"} <= {*NAMES}


@every_model
def test_pin_5_elbo_is_log_likelihood_minus_kl_without_a_hidden_weight(
    smoke: Params, name: str
) -> None:
    model, images = vae(smoke, name), from_uint8(stripes(6)[0])
    noise = torch.randn(6, model.latent_size, generator=random())
    mean, log_variance = model.encode(images)
    q = Normal(mean, (log_variance / 2).exp())
    kl = kl_divergence(q, Normal(torch.zeros(()), 1.0)).sum(dim=1)
    expected = log_likelihood(model, images, mean + q.scale * noise) - kl
    torch.testing.assert_close(model.elbo(images, noise), expected)


@every_model
def test_pin_5_twice_the_pixels_twice_the_reconstruction_term(smoke: Params, name: str) -> None:
    """With zero weights q is the prior, and every pixel adds the same loss."""
    terms = []
    for shape in ((1, 28, 28), (1, 56, 28), (3, 28, 28)):
        model = vae(smoke, name, shape)
        for parameter in model.parameters():
            nn.init.zeros_(parameter)
        images = torch.ones(4, *shape)
        reconstruction, kl = model.elbo_terms(images, torch.randn(4, model.latent_size))
        assert not kl.any()
        terms.append(reconstruction)
    pixel = {"bernoulli": math.log(2), "gaussian": 0.25}[model.likelihood]
    torch.testing.assert_close(terms[0], torch.full((4,), 784 * pixel))
    torch.testing.assert_close(terms[1], 2 * terms[0])
    torch.testing.assert_close(terms[2], 3 * terms[0])


def certain(model: AutoencodingModel) -> AutoencodingModel:
    """Set the log-variances to -60, so a latent equals its mean for any noise."""
    last = [layer for layer in model.encoder.modules() if isinstance(layer, nn.Linear)][-1]
    with torch.no_grad():
        last.weight[model.latent_size :] = 0
        last.bias[model.latent_size :] = -60
    return model


@every_model
def test_pin_5_a_step_descends_means_over_images_of_the_elbos_terms(
    smoke: Params, name: str
) -> None:
    """So a batch that contains every image twice has the same losses."""
    images = from_uint8(stripes(8)[0])
    model = certain(vae(smoke, name))
    expected = [term.mean() for term in model.elbo_terms(images, torch.zeros(8, model.latent_size))]
    for copies in (1, 2):
        model = certain(vae(smoke, name))
        batch = images.repeat(copies, 1, 1, 1)
        losses = model.train_step(batch, model.optimizers(), random())
        torch.testing.assert_close(losses["reconstruction_loss"], expected[0])
        torch.testing.assert_close(losses["kl"], expected[1])


@every_model
def test_pin_10_a_pixel_that_the_decoder_is_sure_and_wrong_about(
    smoke: Params, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = vae(smoke, name)
    for logit in (-50.0, -200.0):
        logits = torch.full((2, *GREY), logit, requires_grad=True)
        monkeypatch.setattr(model, "decode_logits", lambda latents, logits=logits: logits)
        loss, _ = model.elbo_terms(torch.ones(2, *GREY), torch.zeros(2, model.latent_size))
        (gradient,) = torch.autograd.grad(loss.sum(), logits)
        if model.likelihood == "bernoulli":
            torch.testing.assert_close(loss, torch.full((2,), -logit * 784))
            torch.testing.assert_close(gradient, torch.full_like(logits, -1.0))
        else:  # a squared error never exceeds 1, and its gradient vanishes by definition
            torch.testing.assert_close(loss, torch.full((2,), 784.0))
            assert torch.isfinite(gradient).all()


TRAINED = [name for name in NAMES if issubclass(system_class(name), VAE)]
every_vae = pytest.mark.parametrize("name", TRAINED)
K = 4


def with_k(smoke: Params, name: str, k: int = K, **changes: object) -> VAE:
    config = system_config(name, smoke.variants[name] | {"importance_samples": k} | changes)
    model = build_model(name, config, GREY, 0)
    assert isinstance(model, VAE)
    return model


def log_weights(model: AutoencodingModel, images: Tensor, noise: Tensor) -> Tensor:
    """log p(x|z) + log p(z) - log q(z|x), computed by torch.distributions: k x N."""
    mean, log_variance = model.encode(images)
    q = Normal(mean, (log_variance / 2).exp())
    rows = []
    for draw in noise:
        latents = mean + q.scale * draw
        prior = Normal(0, 1).log_prob(latents).sum(dim=1)
        posterior = q.log_prob(latents).sum(dim=1)
        rows.append(log_likelihood(model, images, latents) + prior - posterior)
    return torch.stack(rows)


def noise_of(model: VAE, n: int) -> Tensor:
    """The noise that `random` gives a training step with K latents per image: K x n x size."""
    return standard_normal(K * n, model.latent_size, random()).reshape(K, n, -1)


@every_model
def test_pin_12_log_weights_are_the_definition(smoke: Params, name: str) -> None:
    model, images = vae(smoke, name), from_uint8(stripes(6)[0])
    noise = torch.randn(K, 6, model.latent_size, generator=random())
    torch.testing.assert_close(
        model.log_weights(images, noise), log_weights(model, images, noise), rtol=1e-5, atol=1e-3
    )


def test_log_mean_exp_of_large_numbers_is_finite() -> None:
    values = torch.tensor([[-2000.0, 1000.0], [-2000.0, 1000.0 + math.log(3)]])
    torch.testing.assert_close(log_mean_exp(values), torch.tensor([-2000.0, 1000.0 + math.log(2)]))


def test_pin_12_the_training_loss_is_minus_the_bound_that_is_measured(
    smoke: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound draws k latents for one image after another. It gets the noise of the step."""
    model = with_k(smoke, "bernoulli-vae")
    images = from_uint8(binarised(stripes(6)[0], random()))
    noise_per_image = iter(noise_of(model, 6).unbind(dim=1))
    monkeypatch.setattr(likelihood, "standard_normal", lambda *_: next(noise_per_image))
    bounds = importance_weighted_bound(model, images, k=K, random=random())
    losses = model.train_step(images, model.optimizers(), random())
    torch.testing.assert_close(losses["loss"], -bounds.mean().float())
    assert losses["elbo"] < -losses["loss"]


@every_vae
def test_pin_12_a_step_descends_minus_the_bound(smoke: Params, name: str) -> None:
    model, images = with_k(smoke, name), from_uint8(stripes(6)[0])
    weights = log_weights(model, images, noise_of(model, 6))
    loss = -(weights.double().logsumexp(dim=0) - math.log(K)).mean().float()
    expected = torch.autograd.grad(loss, list(model.parameters()))
    optimizers = recorders(model)
    losses = model.train_step(images, optimizers, random())  # type: ignore[arg-type]
    torch.testing.assert_close(losses["loss"], loss.detach())
    torch.testing.assert_close(losses["elbo"], weights.detach().mean())
    (gradients,) = optimizers["vae"].steps
    torch.testing.assert_close(gradients, list(expected), rtol=1e-3, atol=1e-4)


@every_vae
def test_pin_12_copies_of_a_batch_do_not_change_loss_and_gradients(
    smoke: Params, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = from_uint8(stripes(6)[0])
    results = []
    for times in (1, 2):
        model = with_k(smoke, name)
        noise = noise_of(model, 6).repeat(1, times, 1).flatten(end_dim=1)
        monkeypatch.setattr(module, "standard_normal", lambda *_, noise=noise: noise)
        optimizers = recorders(model)
        batch = images.repeat(times, 1, 1, 1)
        losses = model.train_step(batch, optimizers, random())  # type: ignore[arg-type]
        results.append((losses, optimizers["vae"].steps))
    torch.testing.assert_close(results[1], results[0], rtol=1e-4, atol=1e-5)


@every_vae
def test_one_importance_sample_gives_the_plain_elbo(smoke: Params, name: str) -> None:
    images = from_uint8(stripes(6)[0])
    weights, names = [], []
    for model in (vae(smoke, name), with_k(smoke, name, k=1)):
        names.append(list(model.train_step(images, model.optimizers(), random())))
        weights.append(model.state_dict())
    assert names == [["loss", "reconstruction_loss", "kl"]] * 2
    torch.testing.assert_close(*weights, rtol=0, atol=0)


@every_vae
def test_training_raises_the_importance_weighted_bound(smoke: Params, name: str) -> None:
    model, images = with_k(smoke, name, learning_rate=3e-3), from_uint8(stripes(32)[0])
    optimizers, noise = model.optimizers(), random()
    losses = [float(model.train_step(images, optimizers, noise)["loss"]) for _ in range(60)]
    assert losses[-1] < losses[0] - 10


@every_vae
def test_beta_with_several_importance_samples_is_refused(name: str) -> None:
    expected = r"^models\.x: beta is 0\.5, but it must be 1 if importance_samples .* \(here 5\)\. "
    with pytest.raises(ConfigError, match=expected):
        system_config(name, {"importance_samples": 5, "beta": 0.5}, "models.x")
    system_config(name, {"importance_samples": 1, "beta": 0.5})
    with pytest.raises(ConfigError, match=r"models\.x\.importance_samples is 0"):
        system_config(name, {"importance_samples": 0}, "models.x")

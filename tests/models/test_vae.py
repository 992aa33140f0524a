"""The ELBO and its two terms, in every model that has them."""

import math

import pytest
import torch
from networks import random
from torch import Tensor, nn
from torch.distributions import Bernoulli, Normal, kl_divergence

from conftest import GREY, stripes, tiny_model
from ganvae.config import Params
from ganvae.images import from_uint8
from ganvae.models.base import ImageShape
from ganvae.models.registry import model_class, model_names
from ganvae.models.vae import AutoencodingModel

NAMES = [name for name in model_names() if issubclass(model_class(name), AutoencodingModel)]
every_model = pytest.mark.parametrize("name", NAMES)


def vae(smoke: Params, name: str, shape: ImageShape = GREY) -> AutoencodingModel:
    model = tiny_model(smoke, name, shape)
    assert isinstance(model, AutoencodingModel)
    return model


def log_likelihood(model: AutoencodingModel, images: Tensor, latents: Tensor) -> Tensor:
    """log p(x|z) of each image as torch.distributions has it, N."""
    means = model.generate(latents)
    pixels = {
        "bernoulli": Bernoulli(means, validate_args=False),
        "gaussian": Normal(means, math.sqrt(0.5)),
    }
    return pixels[model.likelihood].log_prob(images).sum(dim=(1, 2, 3))


def test_all_models_with_an_elbo_are_known() -> None:
    assert NAMES == ["bernoulli-vae", "conv-vae", "vae-gan"]
    assert {name for name in model_names() if model_class(name).family == "vae"} <= {*NAMES}


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
    """With all weights 0 q is the prior, and every pixel of an image costs the same."""
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
    """With log-variances of -60: a latent is its mean, whatever the noise."""
    last = [layer for layer in model.encoder.modules() if isinstance(layer, nn.Linear)][-1]
    with torch.no_grad():
        last.weight[model.latent_size :] = 0
        last.bias[model.latent_size :] = -60
    return model


@every_model
def test_pin_5_a_step_descends_means_over_images_of_the_elbos_terms(
    smoke: Params, name: str
) -> None:
    """So a batch of copies has the losses of the batch itself."""
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

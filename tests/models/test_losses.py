"""Losses against closed forms and other people's distributions."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from conftest import GREY, stripes, tiny_config, tiny_model
from ganvae.config import Params
from ganvae.images import from_uint8
from ganvae.models.base import ImageShape
from ganvae.models.losses import (
    GENERATOR_LOSSES,
    bernoulli_cross_entropy,
    gaussian_kl,
    minimax_loss,
    non_saturating_loss,
    r1_penalty,
    real_or_fake_loss,
)
from ganvae.models.priors import standard_normal
from ganvae.models.registry import build_model
from ganvae.systems.bernoulli_vae import BernoulliVAE

LOGITS = torch.tensor([[-50.0], [-2.0], [0.0], [3.0], [50.0]], dtype=torch.float64)


@pytest.mark.parametrize("target", [0.0, 0.9, 1.0])
def test_pin_11_a_target_is_used_as_given(target: float) -> None:
    logits = LOGITS[1:4]
    d = logits.sigmoid()
    expected = -(target * d.log() + (1 - target) * (1 - d).log()).mean()
    torch.testing.assert_close(real_or_fake_loss(logits, target), expected)


def test_generator_losses_are_the_papers() -> None:
    logits = LOGITS[1:4]
    torch.testing.assert_close(non_saturating_loss(logits), -logits.sigmoid().log().mean())
    torch.testing.assert_close(minimax_loss(logits), (1 - logits.sigmoid()).log().mean())
    assert set(GENERATOR_LOSSES) == {"non-saturating", "minimax"}


def test_pin_10_extreme_logits_keep_loss_and_gradient() -> None:
    logits = torch.tensor([[-50.0]], requires_grad=True)
    loss = non_saturating_loss(logits)
    loss.backward()
    assert loss.item() == pytest.approx(50)
    assert logits.grad is not None
    assert logits.grad.item() == pytest.approx(-1)
    for value in (-1000.0, 1000.0):
        for loss_of in (non_saturating_loss, minimax_loss, lambda x: real_or_fake_loss(x, 0.9)):
            assert torch.isfinite(loss_of(torch.tensor([[value]])))


def test_pin_10_cross_entropy_of_a_confident_wrong_pixel_is_finite() -> None:
    logits = torch.full((1, 1, 1, 1), -50.0, requires_grad=True)
    loss = bernoulli_cross_entropy(logits, torch.ones(1, 1, 1, 1))
    loss.backward()
    assert loss.item() == pytest.approx(50)
    assert logits.grad is not None
    assert logits.grad.item() == pytest.approx(-1)


def test_pin_5_kl_is_the_closed_form() -> None:
    random = torch.Generator().manual_seed(0)
    mean = torch.randn(6, 4, generator=random, dtype=torch.float64)
    log_variance = torch.randn(6, 4, generator=random, dtype=torch.float64)
    q = Normal(mean, (log_variance / 2).exp())
    expected = kl_divergence(q, Normal(torch.zeros(()).double(), 1.0)).sum(dim=1)
    torch.testing.assert_close(gaussian_kl(mean, log_variance), expected)
    assert gaussian_kl(torch.zeros(1, 4), torch.zeros(1, 4)).item() == 0


def test_cross_entropy_is_minus_log_likelihood_of_bits() -> None:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 1, 4, 4, generator=random)
    bits = (torch.rand(3, 1, 4, 4, generator=random) > 0.5).float()
    expected = -Bernoulli(logits=logits).log_prob(bits).sum(dim=(1, 2, 3))
    torch.testing.assert_close(bernoulli_cross_entropy(logits, bits), expected)


def test_pin_5_twice_the_pixels_twice_the_reconstruction_term() -> None:
    logits = torch.randn(5, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    images = from_uint8(stripes(5, (1, 6, 6), classes=2)[0])
    once = bernoulli_cross_entropy(logits, images)
    twice = bernoulli_cross_entropy(logits.repeat(1, 1, 2, 1), images.repeat(1, 1, 2, 1))
    torch.testing.assert_close(twice, 2 * once)


def untrained_vae(smoke: Params, shape: ImageShape = GREY) -> BernoulliVAE:
    vae = tiny_model(smoke, "bernoulli-vae", shape)
    assert isinstance(vae, BernoulliVAE)
    return vae


def test_pin_5_elbo_of_a_model_that_knows_nothing(smoke: Params) -> None:
    """With all weights 0, q is the prior and every pixel a fair coin: ELBO = -pixels log 2."""
    for shape in ((1, 28, 28), (3, 32, 32)):
        vae = untrained_vae(smoke, shape)  # type: ignore[arg-type]
        with torch.no_grad():
            for parameter in vae.parameters():
                parameter.zero_()
        images = from_uint8(stripes(4, shape)[0])  # type: ignore[arg-type]
        elbo = vae.elbo(images, torch.randn(4, vae.latent_size))
        expected = torch.full((4,), -math.prod(shape) * math.log(2))
        torch.testing.assert_close(elbo, expected)


def test_pin_5_elbo_is_reconstruction_minus_kl_without_a_hidden_weight(smoke: Params) -> None:
    vae = untrained_vae(smoke)
    images = from_uint8(stripes(4)[0])
    noise = torch.randn(4, vae.latent_size, generator=torch.Generator().manual_seed(0))
    mean, log_variance = vae.encode(images)
    probabilities = vae.generate(mean + (0.5 * log_variance).exp() * noise)
    likelihood = (images * probabilities.log() + (1 - images) * (1 - probabilities).log()).sum(
        dim=(1, 2, 3)
    )
    kl = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(dim=1)
    torch.testing.assert_close(vae.elbo(images, noise), likelihood - kl)


def test_pin_5_the_training_loss_is_minus_the_mean_elbo(smoke: Params) -> None:
    vae = untrained_vae(smoke)
    images = from_uint8(stripes(vae.real_images_per_step)[0])
    noise = standard_normal(len(images), vae.latent_size, torch.Generator().manual_seed(3))
    expected = -vae.elbo(images, noise).mean()
    losses = vae.train_step(images, vae.optimizers(), torch.Generator().manual_seed(3))
    torch.testing.assert_close(losses["loss"], expected.detach())


def test_pin_5_duplicating_the_batch_changes_no_loss(smoke: Params) -> None:
    """The training loss is a mean over images; its noise is made zero by a one-value encoder."""
    config = tiny_config(smoke, "bernoulli-vae")
    losses = []
    for copies in (1, 2):
        vae = build_model("bernoulli-vae", config, GREY, 0)
        with torch.no_grad():  # log-variance -> -60: the latent is the mean, whatever the noise
            last = vae.encoder[1][-1]  # type: ignore[index]
            last.weight[vae.latent_size :] = 0  # type: ignore[operator]
            last.bias[vae.latent_size :] = -60  # type: ignore[operator]
        images = from_uint8(stripes(8)[0]).repeat(copies, 1, 1, 1)
        losses.append(vae.train_step(images, vae.optimizers(), torch.Generator().manual_seed(0)))
    for name in losses[0]:
        torch.testing.assert_close(losses[0][name], losses[1][name])
    assert losses[0]["loss"] == losses[0]["reconstruction_loss"] + losses[0]["kl"]


def test_r1_of_a_linear_discriminator_is_half_its_squared_gradient() -> None:
    weight = torch.randn(784)
    images = torch.rand(5, 1, 28, 28).requires_grad_()
    penalty = r1_penalty(images.flatten(1) @ weight, images)
    torch.testing.assert_close(penalty, weight.square().sum() / 2)


def test_r1_can_be_descended() -> None:
    weight = torch.randn(784).requires_grad_()
    images = torch.rand(5, 1, 28, 28).requires_grad_()
    penalty = r1_penalty(images.flatten(1) @ weight, images)
    (gradient,) = torch.autograd.grad(penalty, weight)
    torch.testing.assert_close(gradient, weight.detach())

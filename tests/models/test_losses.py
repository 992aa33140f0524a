"""Losses compared with closed forms and torch's distributions."""

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from conftest import stripes
from ganvae.core.images import from_uint8
from ganvae.models.losses import (
    RECONSTRUCTION_LOSSES,
    bernoulli_cross_entropy,
    gaussian_kl,
    minimax_loss,
    non_saturating_loss,
    real_or_fake_loss,
)

LOGITS = torch.tensor([[-50.0], [-2.0], [0.0], [3.0], [50.0]], dtype=torch.float64)


@pytest.mark.parametrize("target", [0.0, 0.9, 1.0])
def test_pin_11_the_target_is_used_unchanged(target: float) -> None:
    logits = LOGITS[1:4]
    d = logits.sigmoid()
    expected = -(target * d.log() + (1 - target) * (1 - d).log()).mean()
    torch.testing.assert_close(real_or_fake_loss(logits, target), expected)


def test_generator_losses_match_the_paper() -> None:
    logits = LOGITS[1:4]
    torch.testing.assert_close(non_saturating_loss(logits), -logits.sigmoid().log().mean())
    torch.testing.assert_close(minimax_loss(logits), (1 - logits.sigmoid()).log().mean())


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


def test_cross_entropy_is_minus_the_log_likelihood_of_binary_images() -> None:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 1, 4, 4, generator=random)
    bits = (torch.rand(3, 1, 4, 4, generator=random) > 0.5).float()
    expected = -Bernoulli(logits=logits).log_prob(bits).sum(dim=(1, 2, 3))
    torch.testing.assert_close(bernoulli_cross_entropy(logits, bits), expected)


@pytest.mark.parametrize("likelihood", RECONSTRUCTION_LOSSES)
def test_pin_5_twice_the_pixels_twice_the_reconstruction_loss(likelihood: str) -> None:
    loss = RECONSTRUCTION_LOSSES[likelihood]
    logits = torch.randn(5, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    images = from_uint8(stripes(5, (1, 6, 6), classes=2)[0])
    twice = loss(logits.repeat(1, 1, 2, 1), images.repeat(1, 1, 2, 1))
    torch.testing.assert_close(twice, 2 * loss(logits, images))

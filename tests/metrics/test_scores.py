"""Inception Score and reconstruction scores, in cases whose answer is known."""

import math

import pytest
import torch

from conftest import stripes
from ganvae.images import from_uint8
from ganvae.metrics.inception_score import inception_score
from ganvae.metrics.reconstruction import reconstruction_scores


def test_certain_and_even_predictions_score_the_number_of_classes() -> None:
    logits = 100 * torch.eye(10).repeat(200, 1)
    mean, _ = inception_score(logits, splits=2, seed=0)
    assert mean == pytest.approx(10, rel=1e-2)  # the halves are not quite even


def test_one_class_only_scores_one() -> None:
    logits = 100 * torch.eye(10)[:1].repeat(100, 1)
    assert inception_score(logits, splits=4, seed=0) == pytest.approx((1, 0))


def test_undecided_predictions_score_one() -> None:
    assert inception_score(torch.zeros(100, 10), splits=4, seed=0) == pytest.approx((1, 0))


def test_logits_are_softmaxed_once() -> None:
    logits = torch.randn(400, 5, generator=torch.Generator().manual_seed(0)) * 2
    p = logits.double().softmax(dim=1)
    expected = (p * (p / p.mean(dim=0)).log()).sum(dim=1).mean().exp()
    in_parts = inception_score(logits, splits=2, seed=0)[0]
    assert in_parts == pytest.approx(expected.item(), rel=0.02)
    twice = (p.softmax(dim=1) * (p.softmax(dim=1) / p.softmax(dim=1).mean(dim=0)).log()).sum(dim=1)
    assert in_parts > 1.5 * twice.mean().exp()


def test_the_seed_decides_the_parts() -> None:
    logits = torch.randn(400, 5, generator=torch.Generator().manual_seed(0)) * 2
    first, again, other = (inception_score(logits, splits=10, seed=seed) for seed in (0, 0, 1))
    assert first == again != other


def test_pin_8_no_metric_touches_the_global_generator() -> None:
    state = torch.get_rng_state()
    inception_score(torch.zeros(20, 10), splits=2, seed=0)
    images = from_uint8(stripes(4)[0])
    reconstruction_scores(original=images, reconstructed=images.flip(0))
    assert torch.equal(torch.get_rng_state(), state)


def test_reconstruction_scores_of_a_constant_error() -> None:
    original = torch.full((3, 1, 16, 16), 0.5)
    scores = reconstruction_scores(original=original, reconstructed=original + 0.1)
    assert scores["reconstruction_mse"] == pytest.approx(0.01, rel=1e-5)
    assert scores["reconstruction_psnr"] == pytest.approx(20, rel=1e-5)
    luminance = (2 * 0.5 * 0.6 + 1e-4) / (0.5**2 + 0.6**2 + 1e-4)  # Wang et al., eq. 6
    assert scores["reconstruction_ssim"] == pytest.approx(luminance, rel=1e-4)


def test_psnr_is_that_of_the_mean_mse_so_one_perfect_image_does_no_harm() -> None:
    original = torch.zeros(2, 1, 16, 16)
    errors = torch.tensor([0.1, 0.0]).reshape(2, 1, 1, 1)
    scores = reconstruction_scores(original=original, reconstructed=original + errors)
    assert scores["reconstruction_psnr"] == pytest.approx(-10 * math.log10(0.01 / 2), rel=1e-5)
    perfect = reconstruction_scores(original=original, reconstructed=original)
    assert perfect["reconstruction_mse"] == 0
    assert perfect["reconstruction_psnr"] is None


def test_ssim_needs_images_as_large_as_its_window() -> None:
    original = torch.zeros(2, 1, 10, 16)
    scores = reconstruction_scores(original=original, reconstructed=original + 0.1)
    assert scores["reconstruction_ssim"] is None
    assert scores["reconstruction_mse"] == pytest.approx(0.01, rel=1e-5)


def test_pin_9_batches_do_not_change_reconstruction_scores() -> None:
    images = from_uint8(stripes(23)[0])
    other = images.flip(0)
    whole = reconstruction_scores(original=images, reconstructed=other, batch_size=23)
    parts = reconstruction_scores(original=images, reconstructed=other, batch_size=4)
    assert parts == pytest.approx(whole, rel=1e-6)

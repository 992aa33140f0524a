"""Inception Score and reconstruction scores in known cases, and global generators."""

import math
import pkgutil
import random
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from conftest import GREY, stripes
from ganvae import metrics
from ganvae.config import InversionConfig
from ganvae.core.images import from_uint8
from ganvae.metrics.ais import Annealing, Decoder, LatentDensity, log_likelihood
from ganvae.metrics.classes import class_counts
from ganvae.metrics.distances import nearest
from ganvae.metrics.fid import FidTo, fid
from ganvae.metrics.inception_score import inception_score
from ganvae.metrics.inversion import invert
from ganvae.metrics.kid import kid
from ganvae.metrics.likelihood import importance_weighted_bound
from ganvae.metrics.memorisation import closer_to_train
from ganvae.metrics.modes import kl_from_even, modes_covered
from ganvae.metrics.noise import evaluation_noise, fid_curve
from ganvae.metrics.prdc import prdc
from ganvae.metrics.reconstruction import reconstruction_scores
from ganvae.models.registry import build_model, system_config
from ganvae.models.vae import AutoencodingModel


def test_certain_and_even_predictions_score_the_number_of_classes() -> None:
    logits = 100 * torch.eye(10).repeat(200, 1)
    mean, _ = inception_score(logits, splits=2, seed=0)
    assert mean == pytest.approx(10, rel=1e-2)  # the two parts are not exactly even


def test_one_class_only_scores_one() -> None:
    logits = 100 * torch.eye(10)[:1].repeat(100, 1)
    assert inception_score(logits, splits=4, seed=0) == pytest.approx((1, 0))


def test_undecided_predictions_score_one() -> None:
    assert inception_score(torch.zeros(100, 10), splits=4, seed=0) == pytest.approx((1, 0))


def test_the_softmax_is_applied_once() -> None:
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


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def vae() -> AutoencodingModel:
    config = system_config("bernoulli-vae", {"hidden": [8]})
    model = build_model("bernoulli-vae", config, GREY, 0)
    assert isinstance(model, AutoencodingModel)
    return model


BITS = torch.eye(28).repeat(2, 1, 1, 1)  # two black and white images
NORMAL = LatentDensity(
    lambda n, random: torch.randn(n, 2, generator=random), lambda z: -z.square().sum(dim=1) / 2
)
METRICS: dict[str, Callable[[Tensor], object]] = {
    "ais": lambda _: log_likelihood(
        Decoder(NORMAL, lambda z: z.repeat(1, 8)[:, None, None], 0.1),
        torch.zeros(3, 1, 1, 16),
        Annealing(4, chains=2),
        seeded(),
    ).tolist(),
    "classes": class_counts,
    "modes": lambda logits: (modes_covered(class_counts(logits)), kl_from_even([3, 1])),
    "distances": lambda features: nearest(features, features.flip(1))[1].tolist(),
    "fid": lambda features: fid(real=features, generated=features.flip(1)),
    "inception_score": lambda logits: inception_score(logits, splits=2, seed=0),
    "inversion": lambda _: invert(
        vae(), BITS, InversionConfig(restarts=2, steps=2), random=seeded()
    ).tolist(),
    "kid": lambda features: kid(real=features, generated=features.flip(1), seed=0),
    "likelihood": lambda _: importance_weighted_bound(vae(), BITS, k=3, random=seeded()).tolist(),
    "memorisation": lambda x: closer_to_train(generated=x[:, 0], held_out=x[:, 1]),
    "noise": lambda features: (
        fid_curve(FidTo(features), features.flip(1), seed=0),
        evaluation_noise(lambda i: float(features[i].sum()), 40, point=0.0, resamples=9, seed=0),
    ),
    "prdc": lambda features: prdc(real=features, generated=features.flip(1)),
    "reconstruction": lambda _: reconstruction_scores(original=BITS, reconstructed=1 - BITS),
}


def test_pin_8_every_metric_that_draws_is_checked() -> None:
    """A module that is not in `METRICS` draws no random numbers at all."""
    modules = {module.name for module in pkgutil.iter_modules(metrics.__path__)}
    assert METRICS.keys() <= modules
    for name in modules - METRICS.keys():
        source = (Path(metrics.__path__[0]) / f"{name}.py").read_text()
        assert not re.search(r"\brand|random", source), f"add {name} to METRICS"


@pytest.mark.parametrize("metric", METRICS)
def test_pin_8_no_metric_touches_a_global_generator(metric: str) -> None:
    """Global generators do not change, and their state does not change a score."""
    features = torch.randn(40, 10, generator=seeded())
    values = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        before = torch.get_rng_state(), str(np.random.get_state()), random.getstate()
        values.append(METRICS[metric](features))
        assert torch.equal(torch.get_rng_state(), before[0])
        assert (str(np.random.get_state()), random.getstate()) == before[1:]
    assert values[0] == values[1]


def test_reconstruction_scores_of_a_constant_error() -> None:
    original = torch.full((3, 1, 16, 16), 0.5)
    scores = reconstruction_scores(original=original, reconstructed=original + 0.1)
    assert scores["mse"] == pytest.approx(0.01, rel=1e-5)
    assert scores["psnr_per_image"] == pytest.approx(20, rel=1e-5)
    assert scores["psnr_of_mean_mse"] == pytest.approx(20, rel=1e-5)
    luminance = (2 * 0.5 * 0.6 + 1e-4) / (0.5**2 + 0.6**2 + 1e-4)  # Wang et al., eq. 6
    assert scores["ssim_valid"] == pytest.approx(luminance, rel=1e-4)
    assert scores["ssim_padded"] == pytest.approx(luminance, rel=1e-4)


def test_pin_21_psnr_per_image_is_the_mean_of_the_images_psnrs() -> None:
    original = torch.zeros(2, 1, 16, 16)
    errors = torch.tensor([0.1, 0.01]).reshape(2, 1, 1, 1)
    scores = reconstruction_scores(original=original, reconstructed=original + errors)
    assert scores["psnr_per_image"] == pytest.approx((20 + 40) / 2, rel=1e-5)
    assert scores["psnr_of_mean_mse"] == pytest.approx(-10 * math.log10(0.0101 / 2), rel=1e-5)


def test_a_perfect_image_has_no_psnr_of_its_own() -> None:
    original = torch.zeros(2, 1, 16, 16)
    errors = torch.tensor([0.1, 0.0]).reshape(2, 1, 1, 1)
    scores = reconstruction_scores(original=original, reconstructed=original + errors)
    assert scores["psnr_of_mean_mse"] == pytest.approx(-10 * math.log10(0.01 / 2), rel=1e-5)
    assert scores["psnr_per_image"] is None
    perfect = reconstruction_scores(original=original, reconstructed=original)
    assert perfect["mse"] == 0
    assert perfect["psnr_of_mean_mse"] is None


def test_pin_21_psnr_and_ssim_agree_with_scikit_image() -> None:
    """The values are from scikit-image 0.26, in double precision.

    `structural_similarity(data_range=1, gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False)` leaves out the borders. So does `ssim_valid`.
    """
    ramp = torch.arange(2 * 16 * 16).reshape(2, 1, 16, 16)
    original, other = ((255 * x).round() / 255 for x in (ramp % 23 / 23, ramp * 7 % 31 / 31))
    scores = reconstruction_scores(original=original, reconstructed=other)
    assert scores["psnr_per_image"] == pytest.approx(7.769081656383219, rel=1e-6)
    assert scores["ssim_valid"] == pytest.approx(0.00759252374038033, abs=1e-6)
    assert scores["ssim_padded"] == pytest.approx(0.0235535, abs=1e-6)


def test_errors_at_the_borders_count_less_without_padding() -> None:
    original = torch.full((1, 1, 24, 24), 0.5)
    worse = original.clone()
    worse[..., 0, :] = 1.0
    scores = reconstruction_scores(original=original, reconstructed=worse)
    assert scores["ssim_padded"] < scores["ssim_valid"] < 1


def test_ssim_needs_images_as_large_as_its_window() -> None:
    original = torch.zeros(2, 1, 10, 16)
    scores = reconstruction_scores(original=original, reconstructed=original + 0.1)
    assert scores["ssim_valid"] is None
    assert scores["ssim_padded"] is None
    assert scores["mse"] == pytest.approx(0.01, rel=1e-5)


def test_pin_9_batches_do_not_change_reconstruction_scores() -> None:
    images = from_uint8(stripes(23)[0])
    other = images.flip(0).clone()
    other[:, :, 0, 0] += 0.1  # the image in the middle would be perfect
    whole = reconstruction_scores(original=images, reconstructed=other, batch_size=23)
    parts = reconstruction_scores(original=images, reconstructed=other, batch_size=4)
    assert parts == pytest.approx(whole, rel=1e-6)

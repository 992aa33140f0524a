"""FID compared with closed forms, scipy and torchmetrics."""

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from ganvae.core.errors import UserError
from ganvae.metrics.fid import fid


def normal(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def with_moments(samples: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """Transform samples so that they have exactly the given mean and covariance."""
    centred = samples - samples.mean(dim=0)
    whiten = torch.linalg.inv(torch.linalg.cholesky(torch.cov(centred.T)))
    return centred @ whiten.T @ torch.linalg.cholesky(covariance).T + mean


def test_pin_6_closed_form_of_two_gaussians() -> None:
    """For commuting covariances FID is |m1 - m2|^2 + sum (s1 - s2)^2 (standard deviations s)."""
    d = 4
    s1, s2 = (
        torch.tensor([1.0, 2.0, 3.0, 0.5]).double(),
        torch.tensor([2.0, 2.0, 1.0, 1.5]).double(),
    )
    mean = torch.tensor([1.0, 0.0, -2.0, 0.5]).double()
    real = with_moments(normal(300, d, 0), torch.zeros(d).double(), torch.diag(s1**2))
    generated = with_moments(normal(200, d, 1), mean, torch.diag(s2**2))
    expected = mean.square().sum() + (s1 - s2).square().sum()
    assert fid(real=real, generated=generated) == pytest.approx(expected.item(), rel=1e-9)


def test_pin_6_a_set_against_itself() -> None:
    features = normal(500, 16, 0).float()
    assert fid(real=features, generated=features) == pytest.approx(0, abs=1e-8)


def test_pin_6_agrees_with_scipy_sqrtm() -> None:
    mixing = normal(32, 32, 5)
    real, generated = normal(2000, 32, 0) @ mixing, 1.3 * normal(1500, 32, 1) @ mixing.flip(0) + 0.2
    mean1, mean2 = real.mean(dim=0).numpy(), generated.mean(dim=0).numpy()
    cov1, cov2 = np.cov(real.numpy().T), np.cov(generated.numpy().T)
    root = np.real(scipy.linalg.sqrtm(cov1 @ cov2))
    expected = np.sum((mean1 - mean2) ** 2) + np.trace(cov1 + cov2 - 2 * root)
    assert fid(real=real.float(), generated=generated.float()) == pytest.approx(expected, rel=1e-3)


def test_pin_6_bias_falls_as_one_over_n() -> None:
    """For two samples of N(0, I_d), to first order, E FID = (2 d + d (d + 1) / 2) / N."""
    d, repeats = 8, 40
    for n in (400, 1600):
        values = [
            fid(real=normal(n, d, 2 * k), generated=normal(n, d, 2 * k + 1)) for k in range(repeats)
        ]
        expected = (2 * d + d * (d + 1) / 2) / n
        assert np.mean(values) == pytest.approx(expected, rel=0.12)


@pytest.mark.parametrize(("n_real", "n_generated", "side"), [(8, 50, "real"), (50, 8, "generated")])
def test_pin_6_too_few_images_are_refused(n_real: int, n_generated: int, side: str) -> None:
    with pytest.raises(UserError, match=f"needs more than 8 {side} images, but found 8: "):
        fid(real=normal(n_real, 8, 0), generated=normal(n_generated, 8, 1))


def test_fid_agrees_with_torchmetrics() -> None:
    mixing = normal(24, 24, 5)
    real, generated = normal(900, 24, 0) @ mixing, normal(800, 24, 1) @ mixing.flip(0) + 0.2
    metric = FrechetInceptionDistance(feature=Precomputed(24))
    metric.set_dtype(torch.float64)
    metric.update(real, real=True)
    metric.update(generated, real=False)
    assert fid(real=real, generated=generated) == pytest.approx(float(metric.compute()), rel=1e-9)


class Precomputed(nn.Module):
    """An identity module in the place of torchmetrics' feature extractor."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


@pytest.mark.parametrize("swapped", [False, True])
def test_constant_features(swapped: bool) -> None:
    """A constant feature makes one covariance singular. The closed form still holds."""
    s1, s2 = torch.tensor([1.0, 2.0, 0.0]).double(), torch.tensor([2.0, 1.0, 1.5]).double()
    mean = torch.tensor([1.0, 0.0, -2.0]).double()
    varying = with_moments(normal(300, 2, 0), torch.zeros(2).double(), torch.diag(s1[:2] ** 2))
    singular = torch.cat([varying, torch.zeros(300, 1)], dim=1)
    regular = with_moments(normal(200, 3, 1), mean, torch.diag(s2**2))
    expected = mean.square().sum() + (s1 - s2).square().sum()
    real, generated = (regular, singular) if swapped else (singular, regular)
    assert fid(real=real, generated=generated) == pytest.approx(expected.item(), rel=1e-7)


def test_fid_is_symmetric() -> None:
    a, b = normal(100, 5, 0), 2 * normal(120, 5, 1)
    assert fid(real=a, generated=b) == pytest.approx(fid(real=b, generated=a))

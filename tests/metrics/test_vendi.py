"""The Vendi score in closed form, and against the published values of MNIST."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from conftest import ROOT
from ganvae.data.idx import read_idx
from ganvae.metrics.vendi import vendi_score

MNIST = ROOT / "data/raw/mnist"
PUBLISHED = (7.68, 5.31, 12.18, 9.97, 11.10, 13.51, 9.06, 9.58, 9.69, 8.56)
"""By class, from the README of github.com/vertaix/Vendi-Score."""


def test_pin_22_equal_rows_count_once_and_orthogonal_rows_count_each() -> None:
    assert vendi_score(torch.ones(50, 8)) == pytest.approx(1)
    assert vendi_score(torch.eye(8)) == pytest.approx(8)
    assert vendi_score(torch.eye(8)[:3]) == pytest.approx(3), "fewer rows than features"


def test_pin_22_lengths_do_not_matter() -> None:
    scale = torch.tensor([1.0, 5.0, 0.1])[:, None]
    assert vendi_score(scale * torch.eye(3)) == pytest.approx(3)


def test_rare_rows_count_less() -> None:
    """Shares of 9/10 and 1/10 give the exponential of their entropy."""
    rows = torch.eye(2)[[0] * 9 + [1]]
    entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    assert vendi_score(rows) == pytest.approx(math.exp(entropy))


def test_two_rows_at_an_angle() -> None:
    """The similarity matrix [[1, c], [c, 1]] / 2 has the eigenvalues (1 + c) / 2, (1 - c) / 2."""
    rows = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    entropy = -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    assert vendi_score(rows) == pytest.approx(math.exp(entropy), rel=1e-6)


def test_fewer_features_than_rows_give_the_same_score_as_the_similarity_matrix() -> None:
    rows = torch.randn(30, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    unit = rows / rows.norm(dim=1, keepdim=True)
    weights = torch.linalg.eigvalsh(unit @ unit.T / 30).clamp(min=1e-300)
    assert vendi_score(rows) == pytest.approx(math.exp(-(weights * weights.log()).sum()))


def test_samples_of_fewer_kinds_score_lower() -> None:
    random = torch.Generator().manual_seed(0)
    real = torch.randn(2000, 16, generator=random)
    few = real[:10].repeat(200, 1)
    assert vendi_score(few) < 10 < vendi_score(real) < 16


def resized(images: np.ndarray) -> Tensor:
    """Pixels of 32 x 32 images, as the published values were computed."""
    pictures = [Image.fromarray(image).resize((32, 32)) for image in images]
    return torch.from_numpy(np.stack([np.asarray(picture).ravel() for picture in pictures])).float()


@pytest.mark.slow
def test_pin_22_published_scores_of_mnist_by_class() -> None:
    images = read_idx(MNIST / "t10k-images-idx3-ubyte.gz", 3)
    labels = read_idx(MNIST / "t10k-labels-idx1-ubyte.gz", 1)
    scores = [vendi_score(resized(images[labels == digit])) for digit in range(10)]
    assert scores == pytest.approx(PUBLISHED, abs=0.006)

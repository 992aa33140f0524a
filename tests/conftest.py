"""What several tests start from: the real smoke parameters and small pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from ganvae.config import ModelConfig, Params, load_params
from ganvae.models.base import GenerativeModel, ImageShape
from ganvae.models.registry import build_model, system_config, system_names

pytest_plugins = ["postgres"]
ROOT = Path(__file__).parent.parent
GREY = (1, 28, 28)


@pytest.fixture(autouse=True)
def _torchs_settings() -> Iterator[None]:
    """One thread (small tensors; the same bits on every machine), and no test's settings stay."""
    matmul: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = matmul.fp32_precision
    torch.set_num_threads(1)
    with threadpool_limits(1, user_api="blas"):
        yield
    torch.set_num_threads(1)
    matmul.fp32_precision = before


@pytest.fixture(scope="session")
def smoke() -> Params:
    return load_params(ROOT / "profiles/smoke/params.yaml")


def tiny_config(smoke: Params, name: str) -> ModelConfig:
    assert name in smoke.variants, f"add a section for {name} to profiles/smoke/params.yaml"
    return system_config(name, smoke.variants[name])


def tiny_model(
    smoke: Params, name: str, shape: ImageShape = GREY, seed: int = 0
) -> GenerativeModel:
    return build_model(name, tiny_config(smoke, name), shape, seed)


@pytest.fixture(params=system_names())
def name(request: pytest.FixtureRequest) -> str:
    """Every registered model's name in turn."""
    return str(request.param)


@pytest.fixture
def model(smoke: Params, name: str) -> GenerativeModel:
    """Every registered model in turn, at the smoke profile's size."""
    return tiny_model(smoke, name)


def stripes(n: int, shape: ImageShape = GREY, classes: int = 10) -> tuple[Tensor, Tensor]:
    """``n`` uint8 images, each with one bright row that tells its class, and the labels."""
    random = np.random.default_rng(0)
    labels = np.arange(n) % classes
    images = random.integers(0, 60, (n, *shape), dtype=np.uint8)
    for index, label in enumerate(labels):
        images[index, :, 2 * label + 2 : 2 * label + 4] = 250
    return torch.from_numpy(images), torch.from_numpy(labels)

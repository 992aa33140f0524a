"""Fixtures for several tests: the parameters of the smoke profile, and small pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
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
    with torchs_settings():
        yield


@contextmanager
def torchs_settings() -> Iterator[None]:
    """Use one thread, for the same bits on every machine, and undo other settings at the end."""
    matmul: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = matmul.fp32_precision
    torch.set_num_threads(1)
    with threadpool_limits(1, user_api="blas"):
        yield
    torch.set_num_threads(1)
    torch.set_flush_denormal(False)
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
    """The name of every system in turn."""
    return str(request.param)


@pytest.fixture
def model(smoke: Params, name: str) -> GenerativeModel:
    """Every system's model in turn, with the size of the smoke profile."""
    return tiny_model(smoke, name)


def stripes(n: int, shape: ImageShape = GREY, classes: int = 10) -> tuple[Tensor, Tensor]:
    """``n`` uint8 images and their labels. A bright row in each image shows its class."""
    random = np.random.default_rng(0)
    labels = np.arange(n) % classes
    images = random.integers(0, 60, (n, *shape), dtype=np.uint8)
    for index, label in enumerate(labels):
        images[index, :, 2 * label + 2 : 2 * label + 4] = 250
    return torch.from_numpy(images), torch.from_numpy(labels)

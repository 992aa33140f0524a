"""Spectral norms of the discriminator (D)."""

import copy

import pytest
import torch
from networks import default_gan, random
from torch import Tensor, nn

from conftest import GREY, stripes
from gan_options import GANS
from ganvae.core.images import from_uint8
from ganvae.models.base import evaluating, frozen
from ganvae.models.gan import AdversarialModel
from ganvae.models.registry import shapes, system_config
from ganvae.models.spectral import SpectralNorm, normalise_spectrally, settle
from ganvae.training.precision import networks_in


def gan(name: str, **changes: object) -> AdversarialModel:
    return default_gan(name, batch_size=8, spectral_norm=True, **changes)


def train(model: AdversarialModel, steps: int) -> None:
    optimizers, noise = model.optimizers(), random()
    real = from_uint8(stripes(model.real_images_per_step)[0])
    for _ in range(steps):
        model.train_step(real, optimizers, noise)


def weights(network: nn.Module) -> list[Tensor]:
    """The normalised weights, one matrix per layer."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    with evaluating(network):
        return [layer.weight.flatten(1) for layer in layers]


def singular_vectors(network: nn.Module) -> list[Tensor]:
    return [buffer.clone() for name, buffer in network.named_buffers() if name[-2:] in ("_u", "_v")]


@pytest.mark.parametrize("name", GANS)
def test_the_largest_singular_value_of_each_weight_is_one(name: str) -> None:
    model = gan(name)
    train(model, 6)
    for matrix in weights(model.discriminator):  # the vectors follow the weights step by step
        assert 1 <= torch.linalg.matrix_norm(matrix, 2).item() + 1e-5 < 1.5
    for _ in range(4):
        settle(model.discriminator)
    matrices = weights(model.discriminator)
    assert len(matrices) >= 3
    for matrix in matrices:
        assert torch.linalg.matrix_norm(matrix, 2).item() == pytest.approx(1, abs=0.05)
    assert not any(isinstance(module, SpectralNorm) for module in model.generator.modules())


def test_the_first_step_is_deterministic() -> None:
    first, again = gan("dcgan"), gan("dcgan")
    for model in (first, again):
        train(model, 1)
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_pin_1_only_a_d_step_changes_the_singular_vectors() -> None:
    model = gan("balanced-gan")
    before = singular_vectors(model.discriminator)
    assert len(before) == 10
    real = from_uint8(stripes(8)[0])
    model.generator_step(real, model.optimizers(), random(), learns=True)
    with frozen(model.discriminator):
        model.discriminator(real)
    with evaluating(model):
        model.discriminator(real)
    assert all(map(torch.equal, before, singular_vectors(model.discriminator)))
    model.discriminator(real)  # the modes are restored
    after = singular_vectors(model.discriminator)
    one_output = 2  # the vectors of the last layer, whose only row is exact from the start
    assert not any(map(torch.equal, before[:-one_output], after[:-one_output]))


def test_spectral_norms_are_computed_in_full_precision() -> None:
    model = gan("dcgan").eval()
    norm = next(module for module in model.modules() if isinstance(module, SpectralNorm))
    weight = torch.randn(norm._u.shape[0], norm._v.shape[0], generator=random())
    exact = norm(weight)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = norm(weight)
    assert rounded.dtype == torch.float32
    assert torch.equal(rounded, exact)
    model.train()
    with networks_in("bf16", model):
        train(model, 2)
    assert all(vector.dtype == torch.float32 for vector in singular_vectors(model))


def test_shapes_are_known_without_memory() -> None:
    config = system_config("dcgan", {"spectral_norm": True, "rejection": 50.0})
    model = default_gan("dcgan", spectral_norm=True, rejection=50.0)
    expected = {name: value.shape for name, value in model.state_dict().items()}
    assert shapes("dcgan", config, GREY) == expected


def test_settling_gives_the_singular_vectors_of_averaged_weights() -> None:
    """The average of two networks has other singular vectors than the average of the vectors."""
    torch.manual_seed(0)
    network = normalise_spectrally(nn.Sequential(nn.Linear(20, 30), nn.LeakyReLU()))
    other = normalise_spectrally(nn.Sequential(nn.Linear(20, 30), nn.LeakyReLU()))
    average = copy.deepcopy(network)
    with torch.no_grad():
        for mean, value in zip(
            [*average.parameters(), *average.buffers()],
            [*other.parameters(), *other.buffers()],
            strict=True,
        ):
            mean.lerp_(value, 0.5)
    assert not torch.linalg.matrix_norm(weights(average)[0], 2) < 1.5
    average.eval()
    settle(average)
    assert not average.training
    assert torch.linalg.matrix_norm(weights(average)[0], 2).item() == pytest.approx(1, abs=0.03)

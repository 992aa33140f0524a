"""Helpers for the tests of several systems: default models, listeners and parameter counts."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from conftest import GREY
from ganvae.models.base import GenerativeModel
from ganvae.models.gan import AdversarialModel
from ganvae.models.registry import build_model, system_config


def default_model(name: str, **changes: object) -> GenerativeModel:
    return build_model(name, system_config(name, changes), GREY, 0)


def default_gan(name: str, **changes: object) -> AdversarialModel:
    model = default_model(name, **changes)
    assert isinstance(model, AdversarialModel)
    return model


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Listener(nn.Module):
    """Wraps a network. It records each input, and whether the network was in training mode."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.inputs: list[Tensor] = []
        self.modes: list[bool] = []

    def forward(self, x: Tensor) -> Tensor:
        self.inputs.append(x.detach())
        self.modes.append(self.network.training)
        return self.network(x)


def dense(*sizes: int) -> int:
    """The number of parameters of dense layers: weights and biases."""
    return sum((a + 1) * b for a, b in pairwise(sizes))


def conv(inputs: int, outputs: int, kernel: int) -> int:
    """The number of parameters of a convolution, plain or transposed: weights and biases."""
    return inputs * outputs * kernel**2 + outputs


def norm(channels: int) -> int:
    """The number of parameters of a batch norm: scale and shift."""
    return 2 * channels


def shapes(network: nn.Module, x: Tensor, kinds: tuple[type[nn.Module], ...]) -> list[list[int]]:
    """The output shapes of all layers of these kinds, in order, without the batch dimension."""
    outputs: list[list[int]] = []
    hooks = [
        layer.register_forward_hook(lambda _, __, output: outputs.append(list(output.shape[1:])))
        for layer in network.modules()
        if isinstance(layer, kinds)
    ]
    network(x)
    for hook in hooks:
        hook.remove()
    return outputs


def copies(network: nn.Module) -> list[Tensor]:
    """Copies of all weights and buffers of a network."""
    return [value.clone() for value in network.state_dict().values()]


def unchanged(before: list[Tensor], network: nn.Module) -> bool:
    """Whether the weights and buffers of a network equal the copies."""
    now = network.state_dict().values()
    return all(torch.equal(old, new) for old, new in zip(before, now, strict=True))

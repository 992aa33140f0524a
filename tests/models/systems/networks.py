"""What tests of several systems need: default models, and ears in their networks."""

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
    """Passes a network's input on and keeps it, with the network's mode at the time."""

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
    """Parameters of dense layers, counted by hand: weights and biases."""
    return sum((a + 1) * b for a, b in pairwise(sizes))


def conv(inputs: int, outputs: int, kernel: int) -> int:
    """Parameters of a convolution, transposed or not: weights and biases."""
    return inputs * outputs * kernel**2 + outputs


def norm(channels: int) -> int:
    """Parameters of a batch norm: scale and shift."""
    return 2 * channels


def shapes(network: nn.Module, x: Tensor, kinds: tuple[type[nn.Module], ...]) -> list[list[int]]:
    """Shapes, without the batch, of what the layers of these kinds give, in order."""
    found: list[list[int]] = []
    hooks = [
        layer.register_forward_hook(lambda _, __, output: found.append(list(output.shape[1:])))
        for layer in network.modules()
        if isinstance(layer, kinds)
    ]
    network(x)
    for hook in hooks:
        hook.remove()
    return found


def copies(network: nn.Module) -> list[Tensor]:
    """All that a network consists of, buffers included, as it is now."""
    return [value.clone() for value in network.state_dict().values()]


def unchanged(before: list[Tensor], network: nn.Module) -> bool:
    """Whether a network is still what it was."""
    now = network.state_dict().values()
    return all(torch.equal(old, new) for old, new in zip(before, now, strict=True))

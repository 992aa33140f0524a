"""Building blocks that several models share."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn

from ganvae.errors import ConfigError


def mlp(sizes: Sequence[int], activation: Callable[[], nn.Module]) -> nn.Sequential:
    """Dense layers ``sizes[0] -> ... -> sizes[-1]`` with ``activation`` between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        if layers:
            layers.append(activation())
        layers.append(nn.Linear(inputs, outputs))
    return nn.Sequential(*layers)


def leaky_relu() -> nn.Module:
    """LeakyReLU with slope 0.2, the usual one in discriminators (1511.06434)."""
    return nn.LeakyReLU(0.2)


def downsampling(channels: Sequence[int], activation: Callable[[], nn.Module]) -> nn.Sequential:
    """4 x 4 convolutions of stride 2, each halving the size (rounding down) and activated."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(channels):
        layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), activation()]
    return nn.Sequential(*layers)


def upsampling(channels: Sequence[int]) -> nn.Sequential:
    """4 x 4 transposed convolutions of stride 2, each doubling the size.

    Batch norm and ReLU after each but the last, which ends in plain values.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(channels[:-1]):
        layers += [
            nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
    layers.append(nn.ConvTranspose2d(channels[-2], channels[-1], 4, stride=2, padding=1))
    return nn.Sequential(*layers)


def halved_side(side: int, halvings: int, name: str) -> int:
    """What `downsampling` by so many halvings leaves of a side.

    Raises:
        ConfigError: nothing.
    """
    small = side // 2**halvings
    if small == 0:
        raise ConfigError(
            f"image {name} {side} cannot be halved {halvings} times: give fewer "
            "discriminator channels, or larger images."
        )
    return small


def undoubled_side(side: int, doublings: int, name: str) -> int:
    """The side that becomes ``side`` after so many doublings.

    Raises:
        ConfigError: there is none.
    """
    small, rest = divmod(side, 2**doublings)
    if rest or small == 0:
        raise ConfigError(
            f"image {name} {side} cannot be reached by {doublings} doublings: give fewer "
            f"generator channels, or images whose {name} is a multiple of {2**doublings}."
        )
    return small

"""Mixed precision: networks compute in bf16, and all other computations use fp32."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ganvae.core.compute import Precision


@contextmanager
def networks_in(precision: Precision, model: nn.Module) -> Iterator[None]:
    """Let the networks of ``model`` compute in ``precision`` inside the ``with`` block.

    The networks are the model's direct submodules with weights. If a submodule is a module list or
    a module dict, its members are the networks. With bf16, matrix products and convolutions use
    bf16 in the forward and the backward pass. The outputs of the networks, the losses, the KL, the
    optimizers' states and the statistics of batch norms stay float32.
    """
    networks = [] if precision == "fp32" else list(_networks(model))
    for network in networks:
        device = next(network.parameters()).device.type
        network.forward = partial(_in_bf16, device, network.forward)
    try:
        yield
    finally:
        for network in networks:
            del network.forward  # restores the method of the class


def _networks(model: nn.Module) -> Iterator[nn.Module]:
    for network in model.children():
        if isinstance(network, nn.ModuleList | nn.ModuleDict):  # only their members are called
            yield from _networks(network)
        elif next(network.parameters(), None) is not None:
            yield network


def _in_bf16(device: str, forward: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
    # Each pass has its own autocast region. Inside a region torch caches the converted weights,
    # and the cache would be outdated after an optimizer's step.
    with torch.autocast(device, torch.bfloat16):
        return _in_fp32(forward(*inputs, **options))


def _in_fp32(outputs: Any) -> Any:
    """Return a network's outputs, with floats of 32 bits in tensors, tuples, lists and mappings."""
    if isinstance(outputs, Tensor):
        return outputs.float() if outputs.is_floating_point() else outputs
    if isinstance(outputs, tuple | list):
        return tuple(map(_in_fp32, outputs))
    if isinstance(outputs, Mapping):
        return {name: _in_fp32(output) for name, output in outputs.items()}
    return outputs

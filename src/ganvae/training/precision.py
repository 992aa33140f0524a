"""Mixed precision: networks compute in bf16, and all other computations use fp32."""

from collections.abc import Callable, Iterator
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
    a module dict, its members are the networks. A network must take tensors, and return a tensor or
    a tuple of tensors. With bf16, matrix products and convolutions use bf16 in the forward and the
    backward pass. The outputs of the networks, the losses, the KL, the optimizers' states and the
    statistics of batch norms stay float32.
    """
    networks = [] if precision == "fp32" else list(_networks(model))
    for network in networks:
        network.forward = partial(_in_bf16, network.forward)
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


def _in_bf16(forward: Callable[..., Any], *inputs: Tensor, **options: Any) -> Any:
    # Each pass has its own autocast region. Inside a region torch caches the converted weights,
    # and the cache would be outdated after an optimizer's step.
    with torch.autocast(inputs[0].device.type, torch.bfloat16):
        return _in_fp32(forward(*inputs, **options))


def _in_fp32(outputs: Any) -> Any:
    if isinstance(outputs, Tensor):
        return outputs.float()
    return tuple(map(_in_fp32, outputs))

"""Mixed precision: networks compute in bf16, everything around them in fp32."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ganvae.core.compute import Precision


@contextmanager
def networks_in(precision: Precision, model: nn.Module) -> Iterator[None]:
    """Inside the block the networks of a model run in ``precision``.

    Its networks are the submodules directly under it that have weights (those of a list of
    modules too); they take tensors and return a tensor or a tuple of them. Inside a network
    products are taken in bf16, on the way back as well. What it returns is float32 again, and so
    are losses, KL, what the optimizers keep and the statistics of batch norms.
    """
    networks = [] if precision == "fp32" else list(_networks(model))
    for network in networks:
        network.forward = partial(_in_bf16, network.forward)
    try:
        yield
    finally:
        for network in networks:
            del network.forward  # the class's own again


def _networks(model: nn.Module) -> Iterator[nn.Module]:
    for network in model.children():
        if isinstance(network, nn.ModuleList | nn.ModuleDict):  # these are not called themselves
            yield from _networks(network)
        elif next(network.parameters(), None) is not None:
            yield network


def _in_bf16(forward: Callable[..., Any], *inputs: Tensor, **options: Any) -> Any:
    # One autocast region a pass: inside a region torch keeps the weights that it has cast, and
    # after an optimizer's step they would be the old ones.
    with torch.autocast(inputs[0].device.type, torch.bfloat16):
        return _in_fp32(forward(*inputs, **options))


def _in_fp32(outputs: Any) -> Any:
    if isinstance(outputs, Tensor):
        return outputs.float()
    return tuple(map(_in_fp32, outputs))

"""Distributions that latents are drawn from."""

import torch
from torch import Tensor


def standard_normal(n: int, size: int, generator: torch.Generator) -> Tensor:
    """N(0, I): ``n`` x ``size``, on the generator's device."""
    return torch.randn(n, size, generator=generator, device=generator.device)


def uniform(n: int, size: int, generator: torch.Generator) -> Tensor:
    """U[-1, 1] in every component: ``n`` x ``size``, on the generator's device."""
    return torch.rand(n, size, generator=generator, device=generator.device) * 2 - 1

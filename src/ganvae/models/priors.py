"""Prior distributions of the latents."""

import torch
from torch import Tensor


def standard_normal(n: int, size: int, generator: torch.Generator) -> Tensor:
    """Draw ``n`` latents from N(0, I): ``n`` x ``size``, on the generator's device."""
    return torch.randn(n, size, generator=generator, device=generator.device)


def uniform(n: int, size: int, generator: torch.Generator) -> Tensor:
    """Draw ``n`` latents from U[-1, 1]: ``n`` x ``size``, on the generator's device."""
    return torch.rand(n, size, generator=generator, device=generator.device) * 2 - 1

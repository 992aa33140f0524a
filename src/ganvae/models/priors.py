"""Prior distributions of the latents, and draws from Gaussians."""

import torch
from torch import Tensor

BLOCK = 16  # numbers; torch computes normal draws in blocks of this size on CPUs


def standard_normal(n: int, size: int, generator: torch.Generator) -> Tensor:
    """Draw ``n`` latents from N(0, I): ``n`` x ``size``, on the generator's device."""
    return torch.randn(n, size, generator=generator, device=generator.device)


def normal_rows(n: int, size: int, generator: torch.Generator) -> Tensor:
    """Draw ``n`` rows from N(0, I): ``n`` x ``size``, on the generator's device.

    On a CPU, row i does not depend on ``n``: each row takes whole blocks of random numbers.
    """
    return standard_normal(n, -(-size // BLOCK) * BLOCK, generator)[:, :size]


def uniform(n: int, size: int, generator: torch.Generator) -> Tensor:
    """Draw ``n`` latents from U[-1, 1]: ``n`` x ``size``, on the generator's device."""
    return torch.rand(n, size, generator=generator, device=generator.device) * 2 - 1


def drawn(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Return mean + standard deviation * noise: latents from q(z|x), if noise is from N(0, I).

    This is the reparametrisation trick (1312.6114, section 2.4).
    """
    return mean + (log_variance / 2).exp() * noise

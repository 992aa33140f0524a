"""The priors of GANs by name, and their truncated versions."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.special import ndtr, ndtri

from ganvae.models.priors import standard_normal, uniform

PriorName = Literal["normal", "uniform"]

PRIORS: dict[PriorName, Callable[[int, int, torch.Generator], Tensor]] = {
    "normal": standard_normal,
    "uniform": uniform,
}
"""A mapping from the name of a prior to a function that draws latents."""


def truncated(
    prior: PriorName, n: int, size: int, threshold: float, generator: torch.Generator
) -> Tensor:
    """Draw ``n`` latents from a prior whose components lie within ``threshold`` of 0.

    The distribution is that of redrawing every component beyond the threshold (BigGAN: Brock et
    al., 1809.11096, section 3.1). For the uniform prior, it is uniform on [-threshold, threshold].
    The inverse of the distribution function takes one random number per component. So a latent
    depends neither on the other latents nor on ``n``.

    Args:
        prior: the distribution of a component before truncation.
        threshold: for ``uniform`` at most 1.

    Returns:
        ``n`` x ``size`` latents on the generator's device.
    """
    if prior == "uniform":
        return threshold * uniform(n, size, generator)
    tail = ndtr(torch.tensor(-threshold, dtype=torch.float64, device=generator.device))
    draws = torch.rand(n, size, generator=generator, device=generator.device, dtype=torch.float64)
    return ndtri(tail + (1 - 2 * tail) * draws).float()

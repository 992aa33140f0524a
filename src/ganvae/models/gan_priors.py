"""The priors of GANs by name."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from ganvae.models.priors import standard_normal, uniform

PriorName = Literal["normal", "uniform"]

PRIORS: dict[PriorName, Callable[[int, int, torch.Generator], Tensor]] = {
    "normal": standard_normal,
    "uniform": uniform,
}
"""A mapping from the name of a prior to a function that draws latents."""

"""How learning rates fall during training."""

import math
from functools import partial

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LinearLR, LRScheduler

STAGES = 8
LAST_FACTOR = 0.1
"""The learning rate of the last stage, divided by that of the first."""
GROWTH = 3
"""The length of a stage, divided by the length of the stage before."""


def decay(name: str, optimizer: Optimizer, steps: int) -> LRScheduler | None:
    """Create the scheduler of an optimizer's learning rates for ``steps`` training steps.

    Args:
        name: the value of ``learning_rate_decay``: ``linear``, ``staged`` or ``none``. With
            ``none`` there is no scheduler.
    """
    if name == "linear":
        return LinearLR(optimizer, 1.0, end_factor=0.0, total_iters=steps)
    if name == "staged":
        return LambdaLR(optimizer, partial(staged, steps=steps))
    return None


def staged(step: int, steps: int) -> float:
    """Return the factor on the learning rate in a step, counted from 0 (1509.00519, section 5).

    Stage i of 0 to 7 has the factor 10^(-i/7) and 3^i parts of the training.
    """
    parts = (GROWTH**STAGES - 1) / (GROWTH - 1)
    done = parts * step / steps  # stage i begins after (3^i - 1) / 2 parts
    stage = min(STAGES - 1, int(math.log(1 + (GROWTH - 1) * done, GROWTH) + 1e-9))
    return LAST_FACTOR ** (stage / (STAGES - 1))

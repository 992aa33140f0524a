"""Optimizers that torch does not have."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import nn
from torch.optim import RMSprop


class KerasRMSprop(RMSprop):
    """RMSprop as in Keras 2, with a learning rate that decays by step.

    In step t, counting from 0, the rate is ``lr / (1 + decay * t)``. A parameter group's
    ``iterations`` holds t, so that it goes with the state into a checkpoint.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        decay: float,
        rho: float = 0.9,
        epsilon: float = 1e-7,
    ) -> None:
        super().__init__(parameters, lr=lr, alpha=rho, eps=epsilon)
        for group in self.param_groups:
            group |= {"initial_lr": lr, "decay": decay, "iterations": 0}

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        for group in self.param_groups:
            group["lr"] = group["initial_lr"] / (1 + group["decay"] * group["iterations"])
            group["iterations"] += 1
        return super().step(closure)

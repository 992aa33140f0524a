"""Optimizers: torch's Adam with our settings, and the RMSprop of Keras."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import nn
from torch.optim import Adam, RMSprop


def adam(network: nn.Module, learning_rate: float, beta_1: float, beta_2: float) -> Adam:
    """Create torch's fused Adam (1412.6980) for all parameters of a network."""
    return Adam(network.parameters(), learning_rate, (beta_1, beta_2), fused=True)


class KerasRMSprop(RMSprop):
    """RMSprop as in Keras 2, with a learning rate that decays in every step.

    In step t, counted from 0, the learning rate is ``lr / (1 + decay * t)``. Each parameter group
    stores ``lr``, ``decay`` and t (as ``iterations``), so checkpoints contain t.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        decay: float,
        rho: float = 0.9,
        epsilon: float = 1e-7,
    ) -> None:
        super().__init__(parameters, lr=lr, alpha=rho, eps=epsilon, foreach=True)
        for group in self.param_groups:
            group |= {"decay": decay, "iterations": 0}

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        rates = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] /= 1 + group["decay"] * group["iterations"]
            group["iterations"] += 1
        result = super().step(closure)
        for group, rate in zip(self.param_groups, rates, strict=True):
            group["lr"] = rate
        return result

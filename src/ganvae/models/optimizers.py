"""Optimizers: torch's Adam with our settings, and the RMSprop of Keras."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import nn
from torch.optim import Adam, RMSprop

VARIANCE_RATE = 10.0
"""The learning rate of a log-variance, divided by the learning rate of the weights."""


def adam(network: nn.Module, learning_rate: float, beta_1: float, beta_2: float) -> Adam:
    """Create torch's fused Adam (1412.6980) for all parameters of a network."""
    return Adam(network.parameters(), learning_rate, (beta_1, beta_2), fused=True)


def variational_adam(
    network: nn.Module,
    log_variance: nn.Parameter,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
) -> Adam:
    """Create Adam for a network with a learned log-variance.

    The learning rate of the log-variance is `VARIANCE_RATE` times the learning rate of the other
    parameters. A step of Adam changes a parameter by about the learning rate. The log-variance
    changes by several nats during training, which is far more than a weight changes.
    """
    others = [parameter for parameter in network.parameters() if parameter is not log_variance]
    groups: list[dict[str, Any]] = [
        {"params": others},
        {"params": [log_variance], "lr": VARIANCE_RATE * learning_rate},
    ]
    return Adam(groups, learning_rate, (beta_1, beta_2), fused=True)


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

"""The stages of the learning rate, against the schedule of the paper."""

import pytest
import torch
from torch.optim import SGD

from ganvae.training.decays import decay, staged


def test_stage_i_lasts_three_to_the_i_passes_with_the_rate_of_the_paper() -> None:
    passes = [3**i for i in range(8)]  # 3,280 in all
    expected = [10 ** (-i / 7) for i, length in enumerate(passes) for _ in range(length)]
    assert [staged(step, sum(passes)) for step in range(sum(passes))] == pytest.approx(expected)


@pytest.mark.parametrize(("name", "last"), [("linear", 0.0), ("staged", 0.1)])
def test_the_learning_rate_falls_to_its_end(name: str, last: float) -> None:
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    scheduler = decay(name, optimizer, 100)
    assert scheduler is not None
    rates = []
    for _ in range(100):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(2.0 * last)
    assert decay("none", optimizer, 100) is None

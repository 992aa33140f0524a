"""Nearest neighbours, and the probability that samples are nearer to train than held-out images."""

import pytest
import torch
from torch import Tensor

from ganvae.metrics import distances
from ganvae.metrics.distances import nearest
from ganvae.metrics.memorisation import closer_to_train


def normal(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_nearest_agrees_with_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, points = normal(60, 8, 0) + 5, normal(300, 8, 1) + 5
    expected = torch.cdist(queries.double(), points.double()).min(dim=1)
    for entries in (5_000_000, 900):  # one block, and blocks of three rows (pin 9)
        monkeypatch.setattr(distances, "ENTRIES", entries)
        index, distance = nearest(queries, points)
        assert torch.equal(index, expected.indices)
        assert distance.tolist() == pytest.approx(expected.values.tolist(), rel=1e-5)


def test_a_copy_has_distance_0_far_from_the_origin() -> None:
    points = normal(200, 30, 0) + 100
    index, distance = nearest(points[50:60], points)
    assert index.tolist() == list(range(50, 60))
    assert distance.tolist() == [0.0] * 10


def test_probabilities_of_known_cases() -> None:
    held_out = torch.tensor([1.0, 2.0, 3.0, 4.0])
    assert closer_to_train(generated=torch.zeros(3), held_out=held_out) == 1
    assert closer_to_train(generated=torch.full((3,), 9.0), held_out=held_out) == 0
    assert closer_to_train(generated=held_out, held_out=held_out) == 0.5
    # 2 is nearer than 3 and 4, farther than 1, and ties with 2: (2 + 1/2) / 4.
    assert closer_to_train(generated=torch.tensor([2.0]), held_out=held_out) == 0.625


def test_copies_score_1_new_draws_one_half_distant_samples_less() -> None:
    train, held_out = normal(500, 6, 0), normal(400, 6, 1)
    to_train = nearest(held_out, train)[1]

    def share(samples: Tensor) -> float:
        return closer_to_train(generated=nearest(samples, train)[1], held_out=to_train)

    assert share(train[:100]) == 1
    assert share(train[:100] + 0.05 * normal(100, 6, 2)) > 0.95
    assert share(normal(1000, 6, 3)) == pytest.approx(0.5, abs=0.05)
    assert share(2 * normal(1000, 6, 3)) < 0.2

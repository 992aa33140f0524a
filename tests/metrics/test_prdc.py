"""Precision, recall, density and coverage, compared with their definitions and known cases."""

import pytest
import torch
from torch import Tensor

from ganvae.core.errors import UserError
from ganvae.metrics import distances
from ganvae.metrics import prdc as module
from ganvae.metrics.prdc import PRDC, neighbourhoods, prdc


def normal(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def by_definition(real: Tensor, generated: Tensor, k: int) -> PRDC:
    """The formulas of the papers, with full distance matrices in double precision."""
    real, generated = real.double(), generated.double()
    real_radii = torch.cdist(real, real).kthvalue(k + 1, dim=1).values
    generated_radii = torch.cdist(generated, generated).kthvalue(k + 1, dim=1).values
    between = torch.cdist(real, generated)
    in_real_ball = between < real_radii[:, None]
    return PRDC(
        precision=in_real_ball.any(dim=0).double().mean().item(),
        recall=(between < generated_radii).any(dim=1).double().mean().item(),
        density=in_real_ball.sum(dim=0).double().mean().item() / k,
        coverage=(between.min(dim=1).values < real_radii).double().mean().item(),
    )


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_prdc_matches_the_papers(k: int, offset: float) -> None:
    """This also holds far from the origin, where |a|^2 + |b|^2 - 2ab would lose precision."""
    real, generated = normal(700, 16, 0), 0.8 * normal(1100, 16, 1) + 0.3
    expected = by_definition(real, generated, k)
    scores = prdc(real=real + offset, generated=generated + offset, k=k)
    assert scores == pytest.approx(expected, abs=2e-3 if offset else 1e-6)
    assert 0.05 < scores.recall < scores.precision < 0.99


def test_pin_9_the_chunk_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    real, generated = normal(300, 8, 0), normal(200, 8, 1)
    expected = prdc(real=real, generated=generated)
    monkeypatch.setattr(distances, "ENTRIES", 7 * 300)
    assert prdc(real=real, generated=generated) == pytest.approx(expected, abs=1e-6)


def test_pin_7_a_tight_cluster_is_precise_but_recalls_little() -> None:
    real, cluster = normal(500, 4, 0), 0.05 * normal(500, 4, 1)
    tight = prdc(real=real, generated=cluster)
    assert tight.precision > 0.95
    assert tight.recall < 0.05
    assert tight.density > 1
    assert tight.coverage < 0.2
    swapped = prdc(real=cluster, generated=real)
    assert swapped.precision < 0.05
    assert swapped.recall > 0.95
    assert swapped.density < 0.05


def half_of(n: int, seed: int) -> Tensor:
    kept = torch.zeros(n, dtype=torch.bool)
    kept[torch.randperm(n, generator=torch.Generator().manual_seed(seed))[: n // 2]] = True
    return kept


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_pin_24_a_half_scores_as_if_only_the_half_had_been_drawn(spread: float) -> None:
    """This also holds for wide samples, whose balls contain all real images."""
    real, generated = normal(300, 8, 0), spread * normal(400, 8, 1)
    found = neighbourhoods(real=real, generated=generated)
    for seed in range(5):
        kept = half_of(400, seed)
        expected = prdc(real=real, generated=generated[kept])
        recall, coverage = found.of_half(kept)
        assert recall == pytest.approx(expected.recall, abs=1e-9)
        assert coverage == pytest.approx(expected.coverage, abs=1e-9)


def test_pairs_of_crowded_images_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    real, generated = 0.1 * normal(50, 8, 0), normal(400, 8, 1)
    whole = neighbourhoods(real=real, generated=generated)
    assert torch.bincount(whole.near[0]).max() == module.PAIRS
    monkeypatch.setattr(module, "PAIRS", 400)
    every = neighbourhoods(real=real, generated=generated)
    assert len(every.near[0]) > 2 * len(whole.near[0])
    assert every.scores == whole.scores
    halves = [half_of(400, seed) for seed in range(20)]
    assert [every.of_half(kept) for kept in halves] == [whole.of_half(kept) for kept in halves]


def test_equal_and_disjoint_sets() -> None:
    real = normal(200, 4, 0)
    assert prdc(real=real, generated=real.clone())[::3] == (1.0, 1.0)
    assert prdc(real=real, generated=real + 100) == (0, 0, 0, 0)


@pytest.mark.parametrize(("n_real", "n_generated", "side"), [(5, 9, "real"), (9, 5, "generated")])
def test_too_few_images_are_refused(n_real: int, n_generated: int, side: str) -> None:
    with pytest.raises(UserError, match=f"more than 5 {side} images, but found 5: "):
        prdc(real=normal(n_real, 3, 0), generated=normal(n_generated, 3, 1))


def test_pin_8_prdc_does_not_change_its_inputs_or_the_global_generator() -> None:
    real, generated = normal(50, 3, 0), normal(60, 3, 1)
    before = real.clone(), generated.clone(), torch.get_rng_state()
    prdc(real=real, generated=generated)
    for value, old in zip((real, generated, torch.get_rng_state()), before, strict=True):
        assert torch.equal(value, old)

"""FLD and its gap, compared with the authors' code and with known cases."""

import math

import pytest
import torch
from torch import Tensor

from ganvae.metrics import fld as module
from ganvae.metrics.fld import FLD, fld, fld_baseline


def normal(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


TRAIN, TEST, CENTRES = normal(800, 8, 0), normal(600, 8, 1), normal(300, 8, 2)


def scores(generated: Tensor) -> FLD:
    baseline = fld_baseline(centres=CENTRES[: len(generated)], train=TRAIN, test=TEST)
    return fld(train=TRAIN, test=TEST, generated=generated, baseline=baseline)


def by_autograd(centres: Tensor, images: Tensor, x: Tensor) -> float:
    """The authors' algorithm (github.com/marcojira/fld, MoG.py), with full matrices and autograd.

    The negative log-likelihood of ``x``, in nats per feature.
    """
    d, m = centres.shape[1], len(centres)
    distances = torch.cdist(images, centres).square()
    to_mean = 0.81 * torch.cdist(images, images.mean(dim=0, keepdim=True)).square()
    logs = ((distances.amin(dim=0) + 1e-3) / d).log().requires_grad_()
    broad = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([logs, broad], lr=0.5)

    def likelihoods(squares: Tensor, log_variances: Tensor) -> Tensor:
        constant = log_variances + math.log(2 * math.pi)
        return -squares / log_variances.exp() / 2 - d / 2 * constant

    for _ in range(50):
        optimizer.zero_grad()
        parts = [likelihoods(distances, logs) - math.log(m), likelihoods(to_mean, broad)]
        (-torch.cat(parts, dim=1).logsumexp(dim=1).mean() / d).backward()
        optimizer.step()
    of_x = likelihoods(torch.cdist(x, centres).square(), logs.detach()) - math.log(m)
    return -float(of_x.logsumexp(dim=1).mean()) / d


@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_pin_23_fld_agrees_with_the_authors_algorithm(shift: float) -> None:
    generated = 1.2 * normal(300, 8, 3) + 0.1
    mean, deviation = TEST.mean(dim=0), TEST.std(dim=0)
    train, test, model, centres = (
        (x - mean) / deviation for x in (TRAIN, TEST, generated, CENTRES)
    )
    of_test, of_train = (by_autograd(model, train, x) for x in (test, train))
    baseline = by_autograd(centres, train, test)
    moved = [5 * x + shift for x in (TRAIN, TEST, generated, CENTRES)]
    ours = fld_baseline(centres=moved[3], train=moved[0], test=moved[1])
    assert ours == pytest.approx(baseline, abs=1e-4)
    measured = fld(train=moved[0], test=moved[1], generated=moved[2], baseline=ours)
    assert measured.fld == pytest.approx(100 * (of_test - baseline), abs=0.01)
    assert measured.gap == pytest.approx(100 * (of_train - of_test), abs=0.01)


def test_pin_23_fld_agrees_with_a_value_of_the_authors_code() -> None:
    """600 and 500 points of N(0, I_16) and 300 wider ones, drawn from one generator."""
    random = torch.Generator().manual_seed(0)
    train, test = (torch.randn(n, 16, generator=random) for n in (600, 500))
    generated = 1.2 * torch.randn(300, 16, generator=random) + 0.1
    measured = fld(train=train, test=test, generated=generated, baseline=1.5391669273376465)
    assert measured.fld == pytest.approx(7.630717754364014, abs=1e-3)
    assert measured.gap == pytest.approx(-1.6824603080749512, abs=1e-3)


def test_pin_23_copies_have_the_worst_gap_and_new_images_one_near_0() -> None:
    fresh, copies = scores(normal(200, 8, 4)), scores(TRAIN[:200])
    some = scores(torch.cat([TRAIN[:20], normal(180, 8, 4)]))
    assert abs(fresh.gap) < 8
    assert abs(fresh.fld) < 4
    assert copies.gap < 20 * some.gap < 40 * fresh.gap < 0
    assert copies.fld > 100, "copies explain no test image"
    test_copies = scores(TEST[:200])
    assert test_copies.gap > 0, "train and test images are not swapped"


def test_worse_samples_have_a_higher_fld() -> None:
    few = normal(10, 8, 5).repeat(20, 1) + 0.01 * normal(200, 8, 6)
    good, shifted, collapsed = (
        scores(x).fld for x in (normal(200, 8, 7), normal(200, 8, 7) + 1, few)
    )
    assert good < shifted
    assert good < collapsed


def test_a_constant_feature_changes_nothing_but_the_number_of_features() -> None:
    constant = [torch.cat([x, torch.ones(len(x), 1)], dim=1) for x in (TRAIN, TEST, CENTRES)]
    measured = fld(train=constant[0], test=constant[1], generated=constant[2], baseline=0)
    assert math.isfinite(measured.fld)
    assert math.isfinite(measured.gap)


def test_pin_9_blocks_do_not_change_fld(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = scores(normal(100, 8, 8))
    monkeypatch.setattr(module, "ROWS_A_BLOCK", 37)
    assert scores(normal(100, 8, 8)) == pytest.approx(whole, abs=1e-3)

"""Layers that several systems share."""

import pytest
import torch

from ganvae.models.layers import Dropout, Flatten, Unflatten


def test_unflatten_undoes_flatten() -> None:
    images = torch.rand(2, 3, 4, 5)
    features = Flatten()(images)
    assert features.shape == (2, 60)
    assert torch.equal(features[:, :3], images[:, :, 0, 0])  # the first pixel's channels
    assert torch.equal(Unflatten(3, 4, 5)(features), images)


def test_images_in_channels_last_memory_are_not_copied() -> None:
    images = torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last)
    features = Flatten()(images)
    assert features.data_ptr() == images.data_ptr()
    back = Unflatten(3, 4, 5)(features)
    assert back.data_ptr() == images.data_ptr()
    assert back.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("p", [0.0, 0.3, 0.5])
def test_dropout_drops_its_share_and_keeps_the_mean(
    p: float, memory_format: torch.memory_format
) -> None:
    torch.manual_seed(0)
    features = torch.ones(50, 16, 15, 15).to(memory_format=memory_format).requires_grad_()
    dropped = Dropout(p)(features)
    assert dropped.is_contiguous(memory_format=memory_format)
    assert dropped.unique().tolist() == pytest.approx([0, 1 / (1 - p)] if p else [1], rel=1e-4)
    assert (dropped == 0).double().mean().item() == pytest.approx(p, abs=0.004)
    (gradient,) = torch.autograd.grad(dropped.sum(), features)
    assert torch.equal(gradient, dropped.detach()), "dropped features must get no gradient"


def test_dropout_in_bf16_and_with_an_extreme_rate() -> None:
    torch.manual_seed(0)
    features = torch.ones(100_000, dtype=torch.bfloat16)
    dropped = Dropout(0.3)(features)
    assert dropped.dtype == torch.bfloat16
    assert dropped.float().mean().item() == pytest.approx(1, abs=0.01)
    assert Dropout(0.9999999)(features).isfinite().all()


def test_dropout_decides_independently_for_each_feature() -> None:
    torch.manual_seed(0)
    kept = Dropout(0.5)(torch.ones(4, 100_000)) > 0
    together = (kept[:, :-1] & kept[:, 1:]).double().mean().item()  # neighbours share 64 bits
    assert together == pytest.approx(0.25, abs=0.005)
    assert (kept[0] & kept[1]).double().mean().item() == pytest.approx(0.25, abs=0.006)


def test_dropout_follows_the_global_generator_and_stops_in_eval_mode() -> None:
    layer, features = Dropout(0.4), torch.randn(3, 7)
    torch.manual_seed(1)
    first = layer(features)
    torch.manual_seed(1)
    assert torch.equal(layer(features), first)
    assert not torch.equal(layer(features), first)
    assert torch.equal(layer.eval()(features), features)

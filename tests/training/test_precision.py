"""Mixed precision: which values are bf16, which stay fp32, and how training curves change."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from conftest import stripes, tiny_model
from ganvae.config import Params
from ganvae.core.compute import Machine, Precision
from ganvae.core.images import from_uint8
from ganvae.models.registry import system_config
from ganvae.training.precision import networks_in
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import train

STEPS = 40
TOLERANCE = 0.05
"""The allowed mean distance of a bf16 curve from the fp32 curve, relative to the fp32 curve."""


class TwoOutputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.layer(x)
        return y, 2 * y


class Toy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Linear(64, 64)
        self.pair = TwoOutputs()


def test_networks_compute_in_bf16_and_return_fp32() -> None:
    toy = Toy()
    inputs = torch.randn(8, 64)
    exact = toy.network(inputs)
    with networks_in("bf16", toy):
        rounded = toy.network(inputs)
        pair = toy.pair(torch.randn(2, 4))
    assert rounded.dtype == torch.float32
    assert {output.dtype for output in pair} == {torch.float32}
    assert torch.equal(rounded, rounded.bfloat16().float())  # 8 bits of mantissa
    assert 0 < (rounded - exact).abs().max() < 0.05
    assert torch.equal(toy.network(inputs), exact), "outside the block nothing must change"


class Others(nn.Module):
    """Outputs of other kinds, from a keyword argument."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, *, x: Tensor) -> dict[str, Any]:
        y = self.layer(x)
        return {"y": y, "largest": y.argmax(dim=1), "attention": None, "all": [y]}


def test_networks_may_return_other_kinds_of_outputs() -> None:
    toy = nn.ModuleList([Others()])
    with networks_in("bf16", toy):
        outputs = toy[0](x=torch.randn(2, 4))
    assert outputs["y"].dtype == outputs["all"][0].dtype == torch.float32
    assert outputs["largest"].dtype == torch.int64
    assert outputs["attention"] is None


def test_fp32_changes_nothing() -> None:
    toy = Toy()
    inputs = torch.randn(8, 64)
    exact = toy.network(inputs)
    with networks_in("fp32", toy):
        assert torch.equal(toy.network(inputs), exact)


def test_a_pass_after_an_optimizer_step_uses_the_new_weights() -> None:
    toy = Toy()
    inputs = torch.randn(8, 64)
    with networks_in("bf16", toy):
        before = toy.network(inputs)
        with torch.no_grad():
            toy.network.weight.zero_()
            toy.network.bias.zero_()
        assert before.abs().max() > 0
        assert toy.network(inputs).abs().max() == 0


def test_networks_in_a_module_list_run_in_bf16_too() -> None:
    toy = nn.Module()
    toy.scales = nn.ModuleList([nn.Linear(64, 64), nn.Linear(64, 64)])
    inputs = torch.randn(8, 64)
    with networks_in("bf16", toy):
        for network in toy.scales:
            output = network(inputs)
            assert torch.equal(output, output.bfloat16().float())
    assert not torch.equal(toy.scales[0](inputs), toy.scales[0](inputs).bfloat16().float())


def test_gradients_statistics_and_losses_stay_fp32(smoke: Params, name: str) -> None:
    model = tiny_model(smoke, name)
    images = from_uint8(stripes(model.real_images_per_step, model.image_shape)[0])
    with networks_in("bf16", model):
        losses = model.train_step(images, model.optimizers(), torch.Generator().manual_seed(0))
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    assert all(p.grad is None or p.grad.dtype == torch.float32 for p in model.parameters())
    floats = [value for value in model.state_dict().values() if value.is_floating_point()]
    assert {value.dtype for value in floats} == {torch.float32}


def curves(
    smoke: Params, name: str, precision: Precision, work: Path, **changes: object
) -> dict[str, Tensor]:
    """The losses of a short training run: one curve per loss, one value per step."""
    schedule = {"unit": "steps", "length": STEPS, "report_every": 1}
    schedule |= {"sample_every": STEPS, "checkpoint_every": STEPS}
    config = system_config(name, smoke.variants[name] | {"schedule": schedule} | changes)
    machine = Machine(precision=precision)
    history = train(RunSpec(name, config, 0, machine), stripes(90)[0], work / precision).history
    names = history[0].keys() - {"step", "epoch"}
    return {loss: torch.tensor([row[loss] for row in history]) for loss in names}


@pytest.mark.slow
def test_bf16_and_fp32_training_curves_agree(smoke: Params, name: str, tmp_path: Path) -> None:
    exact = curves(smoke, name, "fp32", tmp_path)
    rounded = curves(smoke, name, "bf16", tmp_path)
    assert any(not torch.equal(exact[loss], rounded[loss]) for loss in exact)
    for loss, curve in exact.items():
        distance = (rounded[loss] - curve).abs().mean()
        assert distance <= TOLERANCE * curve.abs().mean(), loss


def test_the_gradient_penalty_works_in_bf16(smoke: Params, tmp_path: Path) -> None:
    exact, rounded = (
        curves(smoke, "dcgan", precision, tmp_path, r1=1.0, penalty_share=0.5)["r1"]
        for precision in ("fp32", "bf16")
    )
    assert (exact > 0).all()
    torch.testing.assert_close(rounded[0], exact[0], rtol=0.02, atol=0)
    assert (rounded - exact).abs().mean() <= TOLERANCE * exact.mean()

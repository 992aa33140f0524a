"""Each objective against its formula, alone and in each GAN. Real and generated logits differ."""

from collections.abc import Callable
from typing import get_args

import pytest
import torch
from networks import Listener, default_gan, random
from torch import Tensor, nn

from conftest import GREY, stripes
from gan_options import GANS
from ganvae.core.errors import ConfigError
from ganvae.core.images import from_uint8
from ganvae.models.gan import AdversarialModel
from ganvae.models.objectives import OBJECTIVES, LossName
from ganvae.models.registry import system_config

REAL = torch.tensor([-1.5, 0.3, 2.0], dtype=torch.float64)
GENERATED = torch.tensor([0.7, -0.4, -2.5], dtype=torch.float64)
Formula = Callable[[Tensor, Tensor], Tensor]


def log_d(logits: Tensor) -> Tensor:
    return logits.sigmoid().log()


def log_not_d(logits: Tensor) -> Tensor:
    return (1 - logits.sigmoid()).log()


def cross_entropy(real: Tensor, generated: Tensor) -> Tensor:
    return -(log_d(real).mean() + log_not_d(generated).mean()) / 2


def hinge(real: Tensor, generated: Tensor) -> Tensor:
    zero = torch.zeros((), dtype=real.dtype)
    return torch.maximum(zero, 1 - real).mean() + torch.maximum(zero, 1 + generated).mean()


FORMULAS: dict[LossName, tuple[Formula, Formula]] = {
    "non-saturating": (cross_entropy, lambda real, generated: -log_d(generated).mean()),
    "minimax": (cross_entropy, lambda real, generated: log_not_d(generated).mean()),
    "hinge": (hinge, lambda real, generated: -generated.mean()),
    "wgan-gp": (
        lambda real, generated: generated.mean() - real.mean(),
        lambda real, generated: -generated.mean(),
    ),
    "relativistic": (
        lambda real, generated: -log_d(real - generated).mean(),
        lambda real, generated: -log_d(generated - real).mean(),
    ),
}
"""The losses of D and of G by name, as functions of real and generated logits."""


def test_every_objective_has_a_formula_here() -> None:
    assert FORMULAS.keys() == OBJECTIVES.keys() == set(get_args(LossName))


@pytest.mark.parametrize("name", FORMULAS)
def test_pin_1_losses_and_gradients_are_those_of_the_formula(name: LossName) -> None:
    objective = OBJECTIVES[name]

    def generator_loss(real: Tensor, generated: Tensor) -> Tensor:
        return objective.generator_loss(generated - real if objective.paired else generated)

    def discriminator_loss(real: Tensor, generated: Tensor) -> Tensor:
        return objective.discriminator_loss(real=real, generated=generated)

    for loss, formula in zip((discriminator_loss, generator_loss), FORMULAS[name], strict=True):
        results = []
        for function in (loss, formula):
            logits = [REAL.clone().requires_grad_(), GENERATED.clone().requires_grad_()]
            value = function(*logits)
            gradients = torch.autograd.grad(value, logits, allow_unused=True)
            results.append([value.detach(), *gradients])
        for mine, expected in zip(*results, strict=True):
            assert (mine is None) == (expected is None)
            if mine is not None:
                torch.testing.assert_close(mine, expected)


def test_the_hinge_loss_by_hand() -> None:
    """Real: 2.5 + 0.7 + 0. Generated: 1.7 + 0.6 + 0. Both sums are divided by 3."""
    loss = OBJECTIVES["hinge"].discriminator_loss(real=REAL, generated=GENERATED)
    assert loss.item() == pytest.approx((3.2 + 2.3) / 3)


@pytest.mark.parametrize("name", [name for name in FORMULAS if name != "wgan-gp"])
def test_pin_10_extreme_logits_give_finite_losses(name: LossName) -> None:
    objective = OBJECTIVES[name]
    for value in (-1000.0, 1000.0):
        logits = torch.full((2, 1), value)
        assert torch.isfinite(objective.discriminator_loss(real=logits, generated=-logits))
        assert torch.isfinite(objective.generator_loss(logits))


class Brightness(nn.Module):
    """A D whose logit is the sum of an image's first row, times a factor."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.3))

    def forward(self, images: Tensor) -> Tensor:
        return self.factor * images[:, :, 0].flatten(1).sum(dim=1, keepdim=True)


def gan(name: str, **changes: object) -> AdversarialModel:
    model = default_gan(name, batch_size=8, balance={"ratio": "off"}, **changes)
    model.discriminator = Brightness()
    return model.eval()


D_FACTORS = {"dcgan": 2}  # its cross-entropy adds two means


@pytest.mark.parametrize("loss", [name for name in FORMULAS if name != "wgan-gp"])
@pytest.mark.parametrize("name", GANS)
def test_pin_1_each_gan_uses_the_formula(name: str, loss: LossName) -> None:
    model = gan(name, loss=loss)
    images = from_uint8(stripes(model.real_images_per_step)[0])
    images[:, :, 0] = torch.linspace(0.1, 0.9, len(images))[:, None, None]
    latents = model.sample_prior(len(images), random())
    real = model.discriminator(model.real_inputs(images))
    generated = model.discriminator(model.fake_inputs(latents))
    d_formula, g_formula = FORMULAS[loss]
    factor = D_FACTORS.get(name, 1) if d_formula is cross_entropy else 1
    d_loss = model.discriminator_losses(images, latents, random())["d_loss"]
    torch.testing.assert_close(d_loss, factor * d_formula(real, generated))
    torch.testing.assert_close(model.generator_loss(latents, images), g_formula(real, generated))


def test_pairs_repeat_real_images_if_there_are_fewer() -> None:
    """A D step of vanilla-gan has half as many images as its G step."""
    model = gan("vanilla-gan", loss="relativistic")
    images = torch.linspace(0, 1, 4)[:, None, None, None].expand(4, *GREY)
    latents = model.sample_prior(8, random())
    real = model.discriminator(images).repeat(2, 1)
    generated = model.discriminator(model.generate(latents))
    expected = -(generated - real).sigmoid().log().mean()
    torch.testing.assert_close(model.generator_loss(latents, images), expected)


def test_pairs_use_as_many_real_images_as_generated_ones() -> None:
    """With several D steps, a training step has more real images than a G step generates."""
    model = gan("dcgan", loss="relativistic")
    model.discriminator = listener = Listener(model.discriminator)
    model.generator_loss(model.sample_prior(8, random()), torch.rand(24, *GREY))
    assert [len(seen) for seen in listener.inputs] == [8, 8]


@pytest.mark.parametrize("loss", [name for name in FORMULAS if name != "non-saturating"])
@pytest.mark.parametrize("name", GANS)
def test_the_balance_rule_refuses_other_losses(name: str, loss: str) -> None:
    message = rf"loss is {loss}, but the balance rule .*Set balance\.ratio to off"
    norms = {"discriminator_norm": "none"} if name == "balanced-gan" else {}
    with pytest.raises(ConfigError, match=message):
        system_config(name, {"loss": loss, "balance": {"ratio": 2.0}} | norms)


def test_the_default_rule_of_balanced_gan_must_be_turned_off_for_other_losses() -> None:
    with pytest.raises(ConfigError, match=r"Set balance\.ratio to off"):
        system_config("balanced-gan", {"loss": "hinge"})
    assert system_config("balanced-gan", {"loss": "hinge", "balance": {"ratio": "off"}})


def test_the_hybrid_keeps_its_own_losses() -> None:
    for option in ({"loss": "hinge"}, {"packing": 2}, {"r1": 1.0}, {"rejection": 50.0}):
        with pytest.raises(ConfigError, match="is not a known key"):
            system_config("vae-gan", option)

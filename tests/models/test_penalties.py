"""Gradient penalties on discriminators (D) whose gradients are known."""

import pytest
import torch
from networks import Listener, default_gan, random
from torch import Tensor, nn

from conftest import stripes
from gan_options import GANS
from ganvae.core.errors import ConfigError
from ganvae.core.images import from_uint8
from ganvae.models.gan import AdversarialModel
from ganvae.models.penalties import interpolated, one_centred_penalty, zero_centred_penalty
from ganvae.models.registry import system_config


class Quadratic(nn.Module):
    """D(x) = a ||x||^2 / 2. Its gradient at x is a x."""

    def __init__(self, a: float = 1.0) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a))

    def forward(self, images: Tensor) -> Tensor:
        return self.a * images.flatten(1).square().sum(dim=1, keepdim=True) / 2


def squares(images: Tensor) -> Tensor:
    return images.detach().flatten(1).square().sum(dim=1)


def test_penalties_of_a_linear_d() -> None:
    """The gradient of a linear D is its weight, at every image."""
    weight = torch.randn(784, generator=random()).requires_grad_()
    images = torch.rand(5, 1, 28, 28, generator=random()).requires_grad_()
    zero = zero_centred_penalty(images.flatten(1) @ weight, images)
    one = one_centred_penalty(images.flatten(1) @ weight, images)
    norm = weight.detach().norm()
    torch.testing.assert_close(zero, norm.square() / 2)
    torch.testing.assert_close(one, (norm - 1).square())
    torch.testing.assert_close(torch.autograd.grad(zero, weight)[0], weight.detach())
    expected = 2 * (norm - 1) * weight.detach() / norm
    torch.testing.assert_close(torch.autograd.grad(one, weight)[0], expected)


def test_penalties_of_a_quadratic_d_are_means_over_images() -> None:
    d = Quadratic(2.0)
    images = torch.rand(5, 1, 6, 6, generator=random()).requires_grad_()
    zero, one = (
        penalty(d(images), images) for penalty in (zero_centred_penalty, one_centred_penalty)
    )
    torch.testing.assert_close(zero, 4 * squares(images).mean() / 2)
    torch.testing.assert_close(one, (2 * squares(images).sqrt() - 1).square().mean())
    torch.testing.assert_close(torch.autograd.grad(zero, d.a)[0], 2 * squares(images).mean())


def test_pin_1_each_image_has_its_own_epsilon_from_the_generator() -> None:
    ones, zeros = torch.ones(6, 2, 3, 3), torch.zeros(6, 2, 3, 3)
    between = interpolated(real=ones, generated=zeros, random=random(4))
    epsilon = torch.rand(6, 1, 1, 1, generator=random(4))
    assert torch.equal(between, epsilon.expand_as(between))
    assert len(epsilon.unique()) == 6
    real, generated = torch.rand(6, 2, 3, 3), torch.rand(6, 2, 3, 3)
    between = interpolated(real=real, generated=generated, random=random(4))
    torch.testing.assert_close(between, generated + epsilon * (real - generated))


def gan(name: str, **changes: object) -> AdversarialModel:
    if name == "balanced-gan":
        changes["discriminator_norm"] = "none"
    model = default_gan(name, batch_size=16, balance={"ratio": "off"}, **changes)
    model.discriminator = Quadratic(0.1)
    return model.eval()


@pytest.mark.parametrize("name", GANS)
def test_pin_1_r1_is_at_real_images_and_r2_at_generated_ones(name: str) -> None:
    model = gan(name, r1=3.0, r2=5.0, penalty_share=0.3)
    n = model.real_images_per_step
    images, latents = from_uint8(stripes(n)[0]), model.sample_prior(n, random())
    some = {16: 5, 8: 3}[n]  # 0.3 of the batch, rounded up
    real, generated = model.real_inputs(images)[:some], model.fake_inputs(latents)[:some]
    losses = model.discriminator_losses(images, latents, random())
    assert losses.keys() == {"d_loss", "r1", "r2"}
    torch.testing.assert_close(losses["r1"], 3.0 * 0.01 * squares(real).mean() / 2)
    torch.testing.assert_close(losses["r2"], 5.0 * 0.01 * squares(generated).mean() / 2)


@pytest.mark.parametrize("name", GANS)
def test_wgan_gp_penalises_gradients_between_real_and_generated_images(name: str) -> None:
    model = gan(name, loss="wgan-gp", gradient_penalty=7.0)
    n = model.real_images_per_step
    images, latents = from_uint8(stripes(n)[0]), model.sample_prior(n, random())
    real, generated = model.real_inputs(images), model.fake_inputs(latents)
    epsilon = torch.rand(n, 1, 1, 1, generator=random(9))
    norms = 0.1 * squares(epsilon * real + (1 - epsilon) * generated).sqrt()
    losses = model.discriminator_losses(images, latents, random(9))
    assert losses.keys() == {"d_loss", "gradient_penalty"}
    torch.testing.assert_close(losses["gradient_penalty"], 7.0 * (norms - 1).square().mean())
    expected = 0.1 * (squares(generated).mean() - squares(real).mean()) / 2
    torch.testing.assert_close(losses["d_loss"], expected)


def test_penalties_take_passes_of_their_own() -> None:
    model = gan("dcgan", r1=1.0, r2=1.0, loss="wgan-gp", penalty_share=0.25)
    model.discriminator = listener = Listener(model.discriminator)
    images = from_uint8(stripes(16)[0])
    model.discriminator_losses(images, model.sample_prior(16, random()), random())
    assert [len(seen) for seen in listener.inputs] == [32, 4, 4, 4]


@pytest.mark.parametrize("options", [{"r1": 1.0}, {"r2": 1.0}, {"loss": "wgan-gp"}], ids=str)
@pytest.mark.parametrize("name", ["balanced-gan", "dcgan"])
def test_penalties_with_a_batch_norm_in_d_are_refused(
    name: str, options: dict[str, object]
) -> None:
    values = {"discriminator_norm": "batch", "balance": {"ratio": "off"}} | options
    with pytest.raises(ConfigError, match="Set discriminator_norm to none"):
        system_config(name, values)
    assert system_config(name, values | {"discriminator_norm": "none"})

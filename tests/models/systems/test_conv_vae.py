"""The system conv-vae: squared error (or cross-entropy) + beta * KL, and mirrored layers."""

import math

import pytest
import torch
from networks import conv, default_model, dense, random, shapes
from torch import nn
from torch.distributions import Bernoulli, Normal

from conftest import GREY, stripes
from ganvae.core.images import from_uint8
from ganvae.models.base import ImageShape
from ganvae.models.layers import Unflatten
from ganvae.models.registry import build_model, count_parameters, system_config
from ganvae.models.systems.conv_vae import ConvVAE


def conv_vae(shape: ImageShape = GREY, **changes: object) -> ConvVAE:
    model = build_model("conv-vae", system_config("conv-vae", changes), shape, 0)
    assert isinstance(model, ConvVAE)
    return model


def test_layers() -> None:
    model = conv_vae()
    assert count_parameters(model.encoder) == (
        conv(1, 32, 3) + conv(32, 64, 3) + conv(64, 128, 3) + dense(128 * 4 * 4, 40)
    )
    assert count_parameters(model.decoder) == (
        dense(20, 128 * 4 * 4) + conv(128, 64, 3) + conv(64, 32, 3) + conv(32, 1, 3)
    )


@pytest.mark.parametrize(
    ("side", "sides"), [(28, [14, 7, 4]), (32, [16, 8, 4]), (64, [32, 16, 8]), (45, [23, 12, 6])]
)
def test_the_decoder_mirrors_the_sizes_of_the_encoder(side: int, sides: list[int]) -> None:
    model = conv_vae((1, side, side))
    down = shapes(model.encoder, torch.zeros(1, 1, side, side), (nn.Conv2d,))
    up = shapes(model.decoder, torch.zeros(1, 20), (Unflatten, nn.ConvTranspose2d))
    assert [shape[1] for shape in down] == sides
    assert [shape[1] for shape in up] == [*reversed(sides), side]
    assert len(up) == 4  # the dense layer's image and three transposed convolutions


def test_defaults() -> None:
    config = system_config("conv-vae", {}).model_dump()
    assert (config["learning_rate"], config["batch_size"], config["beta"]) == (1e-4, 128, 1.0)
    assert (config["schedule"]["unit"], config["schedule"]["length"]) == ("epochs", 30)
    optimizer = default_model("conv-vae").optimizers()["vae"]
    assert isinstance(optimizer, torch.optim.Adam)
    assert optimizer.defaults["lr"] == 1e-4


@pytest.mark.parametrize("beta", [1.0, 0.25, 4.0])
def test_pin_5_the_loss_is_the_formula(beta: float) -> None:
    """recon = (1/N) sum ||x - x_hat||^2; KL = -(1/2N) sum sum (1 + log s^2 - m^2 - s^2)."""
    model = conv_vae(beta=beta)
    images = from_uint8(stripes(6)[0])
    mean, log_variance = model.encode(images)
    noise = torch.randn(6, 20, generator=random())
    x_hat = model.generate(mean + (log_variance / 2).exp() * noise)
    recon = sum(((x - y) ** 2).sum() for x, y in zip(images, x_hat, strict=True)) / 6
    kl = -(1 + log_variance - mean**2 - log_variance.exp()).sum() / (2 * 6)
    losses = model.train_step(images, model.optimizers(), random())
    torch.testing.assert_close(losses["reconstruction_loss"], recon)
    torch.testing.assert_close(losses["kl"], kl)
    torch.testing.assert_close(losses["loss"], recon + beta * kl)


def test_pin_5_loss_of_a_model_with_zero_weights() -> None:
    """With zero weights q is the prior and every pixel is 1/2. The loss is sum (x - 1/2)^2."""
    for shape in ((1, 28, 28), (3, 32, 32)):
        model = conv_vae(shape)  # type: ignore[arg-type]
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()
        images = torch.zeros(4, *shape)
        losses = model.train_step(images, model.optimizers(), random())
        assert losses["loss"].item() == pytest.approx(math.prod(shape) / 4)
        assert losses["kl"].item() == 0


def test_pin_5_elbo_is_that_of_a_gaussian_with_variance_one_half_whatever_beta() -> None:
    images = from_uint8(stripes(5)[0])
    noise = torch.randn(5, 20, generator=random())
    for beta in (1.0, 7.0):
        model = conv_vae(beta=beta)
        mean, log_variance = model.encode(images)
        x_hat = model.generate(mean + (log_variance / 2).exp() * noise)
        likelihood = Normal(x_hat, math.sqrt(0.5)).log_prob(images).sum(dim=(1, 2, 3))
        kl = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(dim=1)
        torch.testing.assert_close(model.elbo(images, noise), likelihood - kl)


def test_pin_5_with_a_bernoulli_likelihood_the_loss_is_cross_entropy() -> None:
    """Losses and ELBO agree with torch's distribution. The default stays squared error."""
    model = conv_vae(likelihood="bernoulli")
    images = from_uint8(stripes(5)[0]).round()
    noise = torch.randn(5, 20, generator=random())
    mean, log_variance = model.encode(images)
    logits = model.decode_logits(mean + (log_variance / 2).exp() * noise)
    likelihood = Bernoulli(logits=logits).log_prob(images).sum(dim=(1, 2, 3))
    kl = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(dim=1)
    torch.testing.assert_close(model.elbo(images, noise), likelihood - kl)
    losses = model.train_step(images, model.optimizers(), random())
    torch.testing.assert_close(losses["reconstruction_loss"], -likelihood.mean())
    assert (model.likelihood, conv_vae().likelihood) == ("bernoulli", "gaussian")


def test_a_large_beta_pulls_the_posterior_to_the_prior() -> None:
    images = from_uint8(stripes(64)[0])
    kls = []
    for beta in (0.01, 100.0):
        model = conv_vae(beta=beta, learning_rate=3e-3, channels=[4, 8, 8])
        optimizers, noise = model.optimizers(), random()
        for _ in range(60):
            losses = model.train_step(images, optimizers, noise)
        kls.append(losses["kl"].item())
    assert kls[1] < 0.1 < kls[0]

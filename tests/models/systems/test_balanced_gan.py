"""The system balanced-gan: layers, modes and bilinear resize.

tests/models/test_balance.py tests the balance rule.
"""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from networks import Listener, conv, default_model, dense, norm, random, shapes
from torch import nn

from conftest import stripes
from ganvae.core.images import from_uint8
from ganvae.models.convolution import Conv2d, ConvTranspose2d
from ganvae.models.layers import Dropout, Flatten, Unflatten
from ganvae.models.registry import count_parameters, system_config
from ganvae.models.systems.balanced_gan import BalancedGAN

NARROW = {
    "generator_channels": [8, 8, 4, 4],
    "discriminator_channels": [4, 4, 8],
    "discriminator_features": 8,
    "batch_size": 16,
}


def balanced_gan(**changes: object) -> BalancedGAN:
    model = default_model("balanced-gan", **changes)
    assert isinstance(model, BalancedGAN)
    return model


def test_layers() -> None:
    model = balanced_gan()
    features = 7 * 7 * 128
    assert count_parameters(model.generator) == (
        dense(100, features)
        + norm(features)
        + conv(128, 64, 5)
        + norm(64)
        + conv(64, 32, 3)
        + norm(32)
        + conv(32, 16, 5)
        + norm(16)
        + conv(16, 1, 5)
    )
    assert count_parameters(model.discriminator) == (
        conv(1, 32, 5)
        + norm(32)
        + conv(32, 64, 5)
        + norm(64)
        + conv(64, 128, 5)
        + norm(128)
        + dense(128 * 4 * 4, 256, 1)
    )


def test_generator_order_and_shapes() -> None:
    network = balanced_gan().generator.eval()
    kinds = (Unflatten, nn.Upsample, ConvTranspose2d)
    assert shapes(network, torch.zeros(2, 100), kinds) == [
        [128, 7, 7],
        [128, 14, 14],
        [64, 14, 14],
        [32, 28, 28],
        [16, 28, 28],
        [1, 28, 28],
    ]
    block = [ConvTranspose2d, nn.BatchNorm2d, nn.ReLU]
    assert [type(layer) for layer in network] == [
        *(nn.Linear, nn.BatchNorm1d, nn.ReLU, Unflatten, nn.Upsample),
        *block * 3,
        ConvTranspose2d,
    ]


def test_discriminator_order() -> None:
    network = balanced_gan(dropout=0.25).discriminator
    block = [Conv2d, nn.BatchNorm2d, nn.LeakyReLU]
    with_dropout = [*block, Dropout]
    assert [type(layer) for layer in network] == [
        *with_dropout * 2,
        *block,
        *(Flatten, nn.Linear, nn.LeakyReLU, nn.Linear),
    ]
    assert {layer.p for layer in network if isinstance(layer, Dropout)} == {0.25}
    assert {layer.negative_slope for layer in network if isinstance(layer, nn.LeakyReLU)} == {0.2}


def test_the_resize_is_bilinear() -> None:
    """Values are linear between the centres of pixels. Twice the size turns 0 1 to 0 1/4 3/4 1."""
    resize = balanced_gan().generator[4]
    assert isinstance(resize, nn.Upsample)
    resize.size = (1, 4)
    row = resize(torch.tensor([[[[0.0, 1.0]]]]))
    torch.testing.assert_close(row, torch.tensor([[[[0.0, 0.25, 0.75, 1.0]]]]))
    resize.size = (14, 14)
    image = torch.rand(1, 3, 7, 7)
    expected = F.interpolate(image, size=(14, 14), mode="bilinear", align_corners=False)
    torch.testing.assert_close(resize(image), expected)


def test_the_balance_rule_is_on_by_default_and_when_another_key_is_set() -> None:
    assert balanced_gan().config.balance.ratio == 2.0
    config = system_config("balanced-gan", {"balance": {"d_steps": 2}}).model_dump()
    assert config["balance"]["ratio"] == 2.0
    off = system_config("balanced-gan", {"balance": {"ratio": "off"}}).model_dump()
    assert off["balance"]["ratio"] is None


def test_defaults() -> None:
    schedule = system_config("balanced-gan", {}).schedule
    assert (schedule.unit, schedule.length) == ("steps", 10_000)
    assert schedule.marks == [0, 5_000, 10_000]


def test_g_is_in_eval_mode_in_the_d_step_and_in_training_mode_in_the_g_step() -> None:
    model = balanced_gan(**NARROW)
    model.generator = listener = Listener(model.generator)
    model.train_step(from_uint8(stripes(16)[0]), model.optimizers(), random())
    assert listener.modes == [False, True]


def test_skips_are_logged_in_every_step() -> None:
    model = balanced_gan(**NARROW, balance={"ratio": 1.1})
    optimizers, noise, real = model.optimizers(), random(), from_uint8(stripes(16)[0])
    rows = [model.train_step(real, optimizers, noise) for _ in range(60)]
    for row in rows:
        assert list(row) == ["d_loss", "g_loss", "d_skipped", "g_skipped"]
    for before, row in pairwise(rows):
        d_loss, g_loss = before["d_loss"].item(), before["g_loss"].item()
        assert row["d_skipped"].item() == (d_loss * 1.1 < g_loss)
        assert row["g_skipped"].item() == (g_loss * 1.1 < d_loss)
    assert {row["d_skipped"].item() for row in rows} == {0, 1}


def test_both_losses_are_log_2_at_the_equilibrium() -> None:
    """If D cannot tell real from generated images, both losses are log 2, as the rule expects."""
    model = balanced_gan(**NARROW).eval()
    last = model.discriminator[-1]
    assert isinstance(last, nn.Linear)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    real, latents = from_uint8(stripes(8)[0]), model.sample_prior(8, random())
    for loss in (
        model.discriminator_losses(real, latents, random())["d_loss"],
        model.generator_loss(latents, real),
    ):
        assert loss.item() == pytest.approx(0.6931472)

"""The system vanilla-gan: dense layers, the prior U[-1, 1] and the halves of a D batch."""

from typing import Any

import pytest
import torch
from networks import Listener, default_gan, dense, random

from conftest import GREY, stripes
from ganvae.core.errors import ConfigError
from ganvae.core.images import from_uint8
from ganvae.models.registry import build_model, count_parameters, system_config
from ganvae.models.systems.vanilla_gan import VanillaGAN


def test_vanilla_gan_layers() -> None:
    model = default_gan("vanilla-gan")
    assert count_parameters(model.generator) == dense(100, 256, 512, 1024, 784)
    assert count_parameters(model.discriminator) == dense(784, 512, 256, 1)
    slopes = [m.negative_slope for m in model.modules() if isinstance(m, torch.nn.LeakyReLU)]
    assert slopes == [0.2] * 5


def test_vanilla_gan_with_one_hidden_layer_per_network() -> None:
    model = default_gan("vanilla-gan", hidden=[128])
    assert count_parameters(model.generator) == dense(100, 128, 784)
    assert count_parameters(model.discriminator) == dense(784, 128, 1)


def test_the_hidden_layers_of_both_networks_have_the_activation() -> None:
    model = default_gan("vanilla-gan", activation="tanh", hidden=[16, 8])
    for network in (model.generator, model.discriminator):
        kinds = [type(layer).__name__ for layer in network.modules() if not [*layer.children()]]
        assert [kind for kind in kinds if kind != "Flatten"] == ["Linear", "Tanh"] * 2 + ["Linear"]


def test_the_activation_draws_no_random_numbers() -> None:
    """So the default networks and those with tanh start with the same weights."""
    default = default_gan("vanilla-gan", hidden=[16]).state_dict()
    tanh = default_gan("vanilla-gan", hidden=[16], activation="tanh").state_dict()
    assert default.keys() == tanh.keys()
    assert all(torch.equal(default[name], tanh[name]) for name in default)


@pytest.mark.parametrize("hidden", [128, "wide", None])
def test_the_message_on_wrong_hidden_sizes_shows_a_list(hidden: Any) -> None:
    with pytest.raises(
        ConfigError, match=r"must be a list of sizes such as \[128\], or a list for"
    ):
        system_config("vanilla-gan", {"hidden": hidden})


def test_an_unknown_activation_is_an_error() -> None:
    with pytest.raises(ConfigError, match="activation is 'relu', but it should be"):
        system_config("vanilla-gan", {"activation": "relu"})


def test_vanilla_gan_prior_is_uniform_on_minus_one_to_one() -> None:
    latents = default_gan("vanilla-gan").sample_prior(20_000, random())
    assert latents.shape == (20_000, 100)
    assert -1 <= latents.min() < -0.999
    assert 0.999 < latents.max() <= 1
    assert latents.mean().abs() < 0.01
    assert latents.var().item() == pytest.approx(1 / 3, abs=0.01)


def test_vanilla_gan_d_step_merges_real_and_generated_halves_into_one_batch() -> None:
    model = default_gan("vanilla-gan", batch_size=32, hidden=[16])
    assert model.real_images_per_step == 16
    model.discriminator = listener = Listener(model.discriminator)
    real = from_uint8(stripes(16)[0])
    model.train_step(real, model.optimizers(), random())
    d_input, g_input = listener.inputs
    assert d_input.shape == (32, *GREY)
    assert torch.equal(d_input[:16], real)
    assert g_input.shape == (32, *GREY)  # the G step uses a whole batch of latents


def test_pin_11_vanilla_gan_labels_are_exactly_one_and_zero() -> None:
    model = default_gan("vanilla-gan", hidden=[16])
    real, latents = from_uint8(stripes(8)[0]), torch.zeros(8, 100)
    d_real = model.discriminator(real).sigmoid()
    d_fake = model.discriminator(model.generate(latents)).sigmoid()
    merged = torch.cat([d_real.log(), (1 - d_fake).log()])
    losses = model.discriminator_losses(real, latents, random())
    torch.testing.assert_close(losses["d_loss"], -merged.mean())


def test_vanilla_gan_takes_any_image_size() -> None:
    model = build_model("vanilla-gan", system_config("vanilla-gan", {}), (3, 5, 9), 0)
    assert isinstance(model, VanillaGAN)
    assert model.sample(2, torch.Generator()).shape == (2, 3, 5, 9)


def test_vanilla_gan_takes_several_d_steps_per_training_step() -> None:
    model = default_gan(
        "vanilla-gan", batch_size=8, hidden=[16], balance={"d_steps": 3, "g_steps": 2}
    )
    assert model.real_images_per_step == 3 * 4
    model.discriminator = listener = Listener(model.discriminator)
    real = from_uint8(stripes(12)[0])
    model.train_step(real, model.optimizers(), random())
    assert [len(seen) for seen in listener.inputs] == [8, 8, 8, 8, 8]
    for number, seen in enumerate(listener.inputs[:3]):  # own real images per D step
        assert torch.equal(seen[:4], real[4 * number : 4 * number + 4])


def test_vanilla_gan_defaults() -> None:
    config = system_config("vanilla-gan", {}).model_dump()
    assert config["encoding_dims"] == 100
    assert (config["learning_rate"], config["beta_1"], config["batch_size"]) == (2e-4, 0.5, 128)
    assert (config["schedule"]["unit"], config["schedule"]["length"]) == ("epochs", 400)
    with pytest.raises(ConfigError, match="batch_size is 33"):
        system_config("vanilla-gan", {"batch_size": 33})


def test_vanilla_gan_adam() -> None:
    optimizers = default_gan("vanilla-gan", learning_rate=3e-4, beta_1=0.25).optimizers()
    for optimizer in optimizers.values():
        assert isinstance(optimizer, torch.optim.Adam)
        assert optimizer.defaults["lr"] == 3e-4
        assert optimizer.defaults["betas"] == (0.25, 0.999)

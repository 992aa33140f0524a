"""What is particular to one system."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from conftest import GREY, stripes, tiny_model
from ganvae.config import Params
from ganvae.errors import ConfigError
from ganvae.images import from_uint8
from ganvae.models.gan import AdversarialModel
from ganvae.models.registry import build_model, count_parameters, model_config
from ganvae.systems.dcgan import DCGAN
from ganvae.systems.vanilla_gan import VanillaGAN


def default_model(name: str, **changes: object) -> AdversarialModel:
    model = build_model(name, model_config(name, changes), GREY, 0)
    assert isinstance(model, AdversarialModel)
    return model


class _Listener(nn.Module):
    """Passes a network's input on and keeps it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.inputs: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.inputs.append(x.detach())
        return self.network(x)


def dense(*sizes: int) -> int:
    """Parameters of dense layers, counted by hand: weights and biases."""
    return sum((a + 1) * b for a, b in pairwise(sizes))


def test_vanilla_gan_layers() -> None:
    model = default_model("vanilla-gan")
    assert count_parameters(model.generator) == dense(100, 256, 512, 1024, 784)
    assert count_parameters(model.discriminator) == dense(784, 512, 256, 1)


def test_vanilla_gan_with_one_hidden_layer_each() -> None:
    model = default_model("vanilla-gan", hidden=[128])
    assert count_parameters(model.generator) == dense(100, 128, 784)
    assert count_parameters(model.discriminator) == dense(784, 128, 1)


def test_vanilla_gan_prior_is_uniform_on_minus_one_to_one() -> None:
    latents = default_model("vanilla-gan").sample_prior(20_000, torch.Generator().manual_seed(0))
    assert latents.shape == (20_000, 100)
    assert -1 <= latents.min() < -0.999
    assert 0.999 < latents.max() <= 1
    assert latents.mean().abs() < 0.01
    assert latents.var().item() == pytest.approx(1 / 3, abs=0.01)


def test_vanilla_gan_d_step_sees_half_real_half_generated_in_one_batch() -> None:
    model = default_model("vanilla-gan", batch_size=32, hidden=[16])
    assert model.real_images_per_step == 16
    model.discriminator = listener = _Listener(model.discriminator)
    real = from_uint8(stripes(16)[0])
    model.train_step(real, model.optimizers(), torch.Generator().manual_seed(0))
    d_input, g_input = listener.inputs
    assert d_input.shape == (32, *GREY)
    assert torch.equal(d_input[:16], real)
    assert g_input.shape == (32, *GREY)  # the G step has a whole batch of noise


def test_pin_11_vanilla_gan_labels_are_exactly_one_and_zero() -> None:
    model = default_model("vanilla-gan", hidden=[16])
    real, latents = from_uint8(stripes(8)[0]), torch.zeros(8, 100)
    d_real = model.discriminator(real).sigmoid()
    d_fake = model.discriminator(model.generate(latents)).sigmoid()
    merged = torch.cat([d_real.log(), (1 - d_fake).log()])
    torch.testing.assert_close(model.discriminator_loss(real, latents), -merged.mean())


@pytest.mark.parametrize("name", ["vanilla-gan", "dcgan"])
def test_adam_as_given(name: str) -> None:
    optimizers = default_model(name, learning_rate=3e-4, beta_1=0.25).optimizers()
    for optimizer in optimizers.values():
        assert isinstance(optimizer, torch.optim.Adam)
        assert optimizer.defaults["lr"] == 3e-4
        assert optimizer.defaults["betas"] == (0.25, 0.999)


def test_dcgan_layers() -> None:
    model = default_model("dcgan")
    # dense without bias, norm; 4 x 4 up to 64 with norm; 4 x 4 up to one channel with bias
    generator = 100 * 128 * 7 * 7 + 2 * 128 + 128 * 64 * 16 + 2 * 64 + 64 * 16 + 1
    assert count_parameters(model.generator) == generator
    discriminator = (16 + 1) * 64 + (64 * 16 + 1) * 128 + 128 * 7 * 7 + 1
    assert count_parameters(model.discriminator) == discriminator


def test_dcgan_discriminator_sees_images_from_minus_one_to_one(smoke: Params) -> None:
    model = tiny_model(smoke, "dcgan")
    assert isinstance(model, DCGAN)
    model.discriminator = listener = _Listener(model.discriminator)
    real = torch.tensor([0.0, 1.0]).reshape(2, 1, 1, 1).expand(2, *GREY)
    model.discriminator_loss(real, torch.randn(2, 100))
    seen = listener.inputs[0]
    assert seen[0].unique().tolist() == [-1]
    assert seen[1].unique().tolist() == [1]
    assert seen[2:].min() < 0 < seen[2:].max()


def test_pin_11_dcgan_losses_are_the_papers_without_smoothing(smoke: Params) -> None:
    model = tiny_model(smoke, "dcgan").eval()
    assert isinstance(model, DCGAN)
    real, latents = from_uint8(stripes(6)[0]), torch.randn(6, 100)
    d_real = model.discriminator(real * 2 - 1).sigmoid()
    d_fake = model.discriminator(model.generate(latents) * 2 - 1).sigmoid()
    expected = -d_real.log().mean() - (1 - d_fake).log().mean()
    torch.testing.assert_close(model.discriminator_loss(real, latents), expected)
    torch.testing.assert_close(model.generator_loss(latents), -d_fake.log().mean())


def test_dcgan_minimax_by_name(smoke: Params) -> None:
    values = smoke.models["dcgan"] | {"generator_loss": "minimax"}
    model = build_model("dcgan", model_config("dcgan", values), GREY, 0).eval()
    assert isinstance(model, DCGAN)
    latents = torch.randn(6, 100)
    d_fake = model.discriminator(model.generate(latents) * 2 - 1).sigmoid()
    torch.testing.assert_close(model.generator_loss(latents), (1 - d_fake).log().mean())


def test_dcgan_says_which_sizes_it_cannot_draw() -> None:
    config = model_config("dcgan", {})
    with pytest.raises(ConfigError, match="image height 30 cannot be reached by 2 doublings"):
        build_model("dcgan", config, (1, 30, 28), 0)
    deep = model_config("dcgan", {"discriminator_channels": [8] * 6})
    with pytest.raises(ConfigError, match="image height 28 cannot be halved 6 times"):
        build_model("dcgan", deep, GREY, 0)


def test_bernoulli_vae_layers() -> None:
    vae = build_model("bernoulli-vae", model_config("bernoulli-vae", {}), GREY, 0)
    assert count_parameters(vae.encoder) == dense(784, 500, 500, 40)  # type: ignore[arg-type]
    assert count_parameters(vae.decoder) == dense(20, 500, 500, 784)  # type: ignore[arg-type]


def test_bernoulli_vae_learns_to_reconstruct(smoke: Params) -> None:
    vae = tiny_model(smoke, "bernoulli-vae")
    images = from_uint8(stripes(64)[0])
    optimizers, noise = vae.optimizers(), torch.Generator().manual_seed(0)
    losses = [vae.train_step(images, optimizers, noise)["loss"].item() for _ in range(300)]
    assert losses[-1] < 0.65 * losses[0]
    reconstructed = vae.reconstruct(images)  # type: ignore[operator]
    assert (reconstructed - images).square().mean() < 0.05
    assert reconstructed.flatten(1).argmax(1).unique().numel() > 5  # not one answer for all


def test_vanilla_gan_is_dense_at_any_size() -> None:
    model = build_model("vanilla-gan", model_config("vanilla-gan", {}), (3, 5, 9), 0)
    assert isinstance(model, VanillaGAN)
    assert model.sample(2, torch.Generator()).shape == (2, 3, 5, 9)

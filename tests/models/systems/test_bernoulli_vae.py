"""The system bernoulli-vae: layers, loss and learning.

tests/models/test_vae.py tests the ELBO.
"""

import torch
from networks import dense, random

from conftest import GREY, stripes, tiny_model
from ganvae.config import Params
from ganvae.core.images import from_uint8
from ganvae.models.priors import standard_normal
from ganvae.models.registry import build_model, count_parameters, system_config
from ganvae.models.systems.bernoulli_vae import BernoulliVAE


def test_bernoulli_vae_layers() -> None:
    vae = build_model("bernoulli-vae", system_config("bernoulli-vae", {}), GREY, 0)
    assert count_parameters(vae.encoder) == dense(784, 500, 500, 40)  # type: ignore[arg-type]
    assert count_parameters(vae.decoder) == dense(20, 500, 500, 784)  # type: ignore[arg-type]


def test_pin_5_the_training_loss_is_minus_the_mean_elbo(smoke: Params) -> None:
    vae = tiny_model(smoke, "bernoulli-vae")
    assert isinstance(vae, BernoulliVAE)
    images = from_uint8(stripes(vae.real_images_per_step)[0])
    noise = standard_normal(len(images), vae.latent_size, random(3))
    expected = -vae.elbo(images, noise).mean()
    losses = vae.train_step(images, vae.optimizers(), random(3))
    torch.testing.assert_close(losses["loss"], expected.detach())
    assert losses["loss"] == losses["reconstruction_loss"] + losses["kl"]


def test_bernoulli_vae_learns_to_reconstruct(smoke: Params) -> None:
    vae = tiny_model(smoke, "bernoulli-vae")
    images = from_uint8(stripes(64)[0])
    optimizers, noise = vae.optimizers(), random()
    losses = [vae.train_step(images, optimizers, noise)["loss"].item() for _ in range(300)]
    assert losses[-1] < 0.65 * losses[0]
    reconstructed = vae.reconstruct(images)  # type: ignore[operator]
    assert (reconstructed - images).square().mean() < 0.05
    assert reconstructed.flatten(1).argmax(1).unique().numel() > 5  # not the same image for all


def test_the_output_bias_starts_at_the_logits_of_the_mean_image() -> None:
    images = torch.randint(256, (50, *GREY), generator=random(1)).to(torch.uint8)
    images[:, :, 0] = 0  # pixels that are always black
    options = {"output_bias": "pixel-means", "hidden": [8]}
    vae = build_model("bernoulli-vae", system_config("bernoulli-vae", options), GREY, 0)
    vae.start_from(images)
    vae.decoder[-1].weight.data.zero_()  # type: ignore[index, union-attr]
    mean = vae.generate(torch.zeros(1, 20))[0]
    expected = from_uint8(images).mean(dim=0)
    torch.testing.assert_close(mean[:, 1:], expected[:, 1:])
    torch.testing.assert_close(mean[:, 0], torch.full_like(mean[:, 0], 1e-3))
    random_start = build_model("bernoulli-vae", system_config("bernoulli-vae", {}), GREY, 0)
    before = {name: value.clone() for name, value in random_start.state_dict().items()}
    random_start.start_from(images)
    assert all(
        torch.equal(before[name], value) for name, value in random_start.state_dict().items()
    )


def test_the_hidden_layers_have_the_activation() -> None:
    options = {"activation": "tanh", "norm": "batch"}
    vae = build_model("bernoulli-vae", system_config("bernoulli-vae", options), GREY, 0)
    kinds = [type(layer).__name__ for layer in vae.decoder]  # type: ignore[union-attr, attr-defined]
    assert kinds == ["Linear", "BatchNorm1d", "Tanh"] * 2 + ["Linear"]

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

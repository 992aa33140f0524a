"""The system vae-gan: its five losses, and the objective of each of its three networks."""

import pytest
import torch
from gradients import network_of, objectives, recorders
from networks import Listener, default_model, random
from torch import Tensor

from conftest import stripes
from ganvae.core.images import from_uint8
from ganvae.models.systems.vae_gan import VAEGAN

NARROW = {"channels": [4, 8], "discriminator_channels": [4, 8], "batch_size": 8, "latent_size": 5}


def vae_gan(**changes: object) -> VAEGAN:
    model = default_model("vae-gan", **(NARROW | changes))
    assert isinstance(model, VAEGAN)
    return model


def inputs(model: VAEGAN) -> tuple[Tensor, Tensor, Tensor]:
    """Real images, prior latents, and noise for q(z|x)."""
    noise = torch.randn(8, 5, generator=random(1))
    return from_uint8(stripes(8)[0]), model.sample_prior(8, random()), noise


def test_pin_5_and_11_the_five_losses_are_the_formulas() -> None:
    model = vae_gan()
    real, latents, noise = inputs(model)
    d_real = model.discriminator(real).sigmoid()
    d_fake = model.discriminator(model.generate(latents)).sigmoid()
    mean, log_variance = model.encode(real)
    x_hat = model.generate(mean + (log_variance / 2).exp() * noise)
    entropy = -(real * x_hat.log() + (1 - real) * (1 - x_hat).log())
    kl = -0.5 * (1 + log_variance - mean**2 - log_variance.exp())
    expected = {
        "d_loss_real": -(0.9 * d_real.log() + 0.1 * (1 - d_real).log()).mean(),
        "d_loss_fake": -(1 - d_fake).log().mean(),
        "reconstruction_loss": entropy.sum(dim=(1, 2, 3)).mean(),
        "kl": kl.sum(dim=1).mean(),
        "g_loss": -d_fake.log().mean(),
    }
    losses = model.discriminator_losses(real, latents, random()) | model.generator_losses(
        real, latents, noise
    )
    assert losses.keys() == expected.keys()
    for name, loss in expected.items():
        torch.testing.assert_close(losses[name], loss)


def test_pin_11_smoothing_touches_real_targets_in_the_d_step_alone() -> None:
    """``real_target`` changes only one of the five losses."""
    real, latents, noise = inputs(vae_gan())
    changed = set()
    by_target = []
    for target in (0.9, 0.7):
        model = vae_gan(real_target=target)
        by_target.append(
            model.discriminator_losses(real, latents, random())
            | model.generator_losses(real, latents, noise)
        )
    for name in by_target[0]:
        if not torch.equal(by_target[0][name], by_target[1][name]):
            changed.add(name)
    assert changed == {"d_loss_real"}


@pytest.mark.parametrize("weight", [0.0, 30.0])
def test_pin_1_the_encoder_hears_nothing_of_d_whatever_the_weight(weight: float) -> None:
    """The decoder does not help D either: its objective has +weight * BCE(D(G(z)), 1)."""
    model = vae_gan(adversarial_weight=weight)
    real, stepped = from_uint8(stripes(8)[0]), recorders(model)
    model.train_step(real, stepped, random())  # type: ignore[arg-type]
    for optimizer, loss in objectives(model, real, random()).items():
        own = list(network_of(model, optimizer).parameters())
        gradients = torch.autograd.grad(loss, own, retain_graph=True)
        for recorded, expected in zip(stepped[optimizer].steps[0], gradients, strict=True):
            torch.testing.assert_close(recorded, expected)


def test_d_sees_only_real_images_and_images_of_prior_latents() -> None:
    """D never sees reconstructions. Both steps draw z from N(0, I)."""
    model = vae_gan()
    model.discriminator = d_listener = Listener(model.discriminator)
    model.generator = g_listener = Listener(model.generator)
    real = from_uint8(stripes(8)[0])
    model.train_step(real, model.optimizers(), random())
    d_batch, g_fake = d_listener.inputs
    assert torch.equal(d_batch[:8], real)
    for images in (d_batch[8:], g_fake):
        assert len(images) == 8
        assert 0 <= images.min() <= images.max() <= 1
    noise = random()
    assert torch.equal(g_listener.inputs[0], model.sample_prior(8, noise))  # in the D step
    # In the G step the latents of the real images come first, then the prior latents.
    assert torch.equal(g_listener.inputs[1][8:], model.sample_prior(8, noise))


def test_merged_and_separate_passes_give_the_same_losses() -> None:
    model = vae_gan()
    real, latents, noise = from_uint8(stripes(8)[0]), torch.randn(8, 5), torch.randn(8, 5)
    reconstruction, kl = model.elbo_terms(real, noise)
    separate = {
        "reconstruction_loss": reconstruction.mean(),
        "kl": kl.mean(),
        "g_loss": -model.discriminator(model.generate(latents)).sigmoid().log().mean(),
    }
    merged = model.generator_losses(real, latents, noise)
    assert merged.keys() == separate.keys()
    for name, loss in separate.items():
        torch.testing.assert_close(merged[name], loss)


def test_without_gs_turn_the_adversarial_term_is_left_out() -> None:
    """Generator and encoder then minimise reconstruction + KL, as with a weight of 0."""
    real = from_uint8(stripes(8)[0])
    models = [vae_gan(balance={"ratio": 2.0}), vae_gan(adversarial_weight=0.0)]
    models[0].get_buffer("balance.losses").copy_(torch.tensor([9.0, 0.1]))
    for model in models:
        model.train_step(real, model.optimizers(), random())
    for network in ("generator", "encoder", "discriminator"):
        paused, unweighted = (model.get_submodule(network).parameters() for model in models)
        for first, second in zip(paused, unweighted, strict=True):
            torch.testing.assert_close(first, second)


def test_without_ds_turn_d_does_not_change() -> None:
    model = vae_gan(balance={"ratio": 2.0})
    model.get_buffer("balance.losses").copy_(torch.tensor([0.1, 9.0]))
    before = [parameter.clone() for parameter in model.discriminator.parameters()]
    losses = model.train_step(from_uint8(stripes(8)[0]), model.optimizers(), random())
    assert all(map(torch.equal, before, model.discriminator.parameters()))
    assert (losses["d_skipped"].item(), losses["g_skipped"].item()) == (1, 0)

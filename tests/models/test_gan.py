"""The effect of every GAN's losses on D's logits, measured by gradients."""

import pytest
import torch
from gradients import FixedLogits, generator_loss, total
from networks import random

from conftest import stripes
from ganvae.core.images import from_uint8
from ganvae.models.adversary import GANConfig
from ganvae.models.base import GenerativeModel
from ganvae.models.registry import system_class, system_names

GANS = [name for name in system_names() if issubclass(system_class(name).config_class, GANConfig)]
REAL_TARGETS = {"vae-gan": 0.9}  # no other system smooths labels


def d_gradients(model: GenerativeModel, lowest: float, highest: float) -> tuple[torch.Tensor, ...]:
    """D's summed loss with logits from ``lowest`` to ``highest``.

    Returns the loss, the logits of real and of generated images, and the gradients for both.
    """
    model.discriminator = d = FixedLogits(lowest, highest)
    real, latents = from_uint8(stripes(6)[0]), model.sample_prior(6, random())
    loss, logits, gradients = d.gradients(
        lambda: total(model.discriminator_losses(real, latents, random()))  # type: ignore[operator]
    )
    assert logits.shape == (12, 1), "D must see each image once, real images first"
    return loss, *logits.split(6), *gradients.split(6)


def targets(logits: torch.Tensor, gradients: torch.Tensor) -> list[float]:
    """The target of each logit in a cross-entropy. Its gradient is c (sigmoid(logit) - target)."""
    d = logits.double().sigmoid()
    c = (gradients[-1] - gradients[0]) / (d[-1] - d[0])
    per_logit: list[float] = (d - gradients / c).flatten().tolist()
    return per_logit


@pytest.mark.parametrize("name", GANS)
def test_pin_11_labels_are_smoothed_for_real_images_in_the_d_step_alone(
    model: GenerativeModel,
) -> None:
    _, real, fake, to_real, to_fake = d_gradients(model, -2.0, 2.0)
    expected = REAL_TARGETS.get(model.name, 1.0)
    assert targets(real, to_real) == pytest.approx([expected] * 6, abs=1e-5)
    assert targets(fake, to_fake) == pytest.approx([0.0] * 6, abs=1e-5)
    model.discriminator = d = FixedLogits(-2.0, 2.0)
    _, logits, gradients = d.gradients(lambda: generator_loss(model, 6, random()))
    assert targets(logits, gradients) == pytest.approx([1.0] * 6, abs=1e-5)


@pytest.mark.parametrize("name", GANS)
@pytest.mark.parametrize("logit", [-50.0, -200.0])
def test_pin_10_a_g_that_d_is_sure_about_still_learns(model: GenerativeModel, logit: float) -> None:
    """At -200 the sigmoid is 0 in float32, so the loss must be computed from the logits."""
    model.discriminator = d = FixedLogits(logit, logit)
    loss, logits, gradients = d.gradients(lambda: generator_loss(model, 6, random()))
    assert loss.item() == pytest.approx(-logit)
    torch.testing.assert_close(6 * gradients, torch.full_like(logits, -1.0))


@pytest.mark.parametrize("name", GANS)
@pytest.mark.parametrize("logit", [-200.0, -50.0, 50.0, 200.0])
def test_pin_10_a_d_that_is_sure_and_wrong_still_learns(
    model: GenerativeModel, logit: float
) -> None:
    loss, _, _, to_real, to_fake = d_gradients(model, logit, logit)
    assert torch.isfinite(loss)
    wrong = to_real if logit < 0 else -to_fake
    right = to_fake if logit < 0 else to_real
    assert (wrong < -1 / 20).all()  # each is a mean over 6 or 12 images
    assert (right.abs() < 1 / 50).all()  # 0 without smoothing

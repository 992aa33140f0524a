"""What every GAN's losses ask of D's logits, read off their gradients."""

import pytest
import torch
from gradients import FixedLogits, generator_loss
from networks import random

from conftest import stripes
from ganvae.core.images import from_uint8
from ganvae.models.base import GenerativeModel
from ganvae.models.gan import GANConfig
from ganvae.models.registry import system_class, system_names

GANS = [name for name in system_names() if issubclass(system_class(name).config_class, GANConfig)]
REAL_TARGETS = {"vae-gan": 0.9}  # all others do not smooth


def asked_of_d(model: GenerativeModel, lowest: float, highest: float) -> tuple[torch.Tensor, ...]:
    """D's summed loss at these logits, then the logits of real images and of generated ones, and
    the gradients to both.
    """
    model.discriminator = d = FixedLogits(lowest, highest)
    real, latents = from_uint8(stripes(6)[0]), model.sample_prior(6, random())
    loss, logits, gradients = d.gradients(
        lambda: torch.stack(list(model.discriminator_losses(real, latents).values())).sum()  # type: ignore[operator]
    )
    assert logits.shape == (12, 1), "D sees each image once, the real ones first"
    return loss, *logits.split(6), *gradients.split(6)


def targets(logits: torch.Tensor, gradients: torch.Tensor) -> list[float]:
    """What a cross-entropy aims each logit at: its gradient is c (sigmoid(logit) - target)."""
    d = logits.double().sigmoid()
    c = (gradients[-1] - gradients[0]) / (d[-1] - d[0])
    found: list[float] = (d - gradients / c).flatten().tolist()
    return found


@pytest.mark.parametrize("name", GANS)
def test_pin_11_labels_are_smoothed_for_real_images_in_the_d_step_alone(
    model: GenerativeModel,
) -> None:
    _, real, fake, to_real, to_fake = asked_of_d(model, -2.0, 2.0)
    expected = REAL_TARGETS.get(model.name, 1.0)
    assert targets(real, to_real) == pytest.approx([expected] * 6, abs=1e-5)
    assert targets(fake, to_fake) == pytest.approx([0.0] * 6, abs=1e-5)
    model.discriminator = d = FixedLogits(-2.0, 2.0)
    _, logits, gradients = d.gradients(lambda: generator_loss(model, 6, random()))
    assert targets(logits, gradients) == pytest.approx([1.0] * 6, abs=1e-5)


@pytest.mark.parametrize("name", GANS)
@pytest.mark.parametrize("logit", [-50.0, -200.0])
def test_pin_10_a_g_that_d_is_sure_about_still_learns(model: GenerativeModel, logit: float) -> None:
    """At -200 the sigmoid is 0 in float32: the loss must come from the logits themselves."""
    model.discriminator = d = FixedLogits(logit, logit)
    loss, logits, gradients = d.gradients(lambda: generator_loss(model, 6, random()))
    assert loss.item() == pytest.approx(-logit)
    torch.testing.assert_close(6 * gradients, torch.full_like(logits, -1.0))


@pytest.mark.parametrize("name", GANS)
@pytest.mark.parametrize("logit", [-200.0, -50.0, 50.0, 200.0])
def test_pin_10_a_d_that_is_sure_and_wrong_still_learns(
    model: GenerativeModel, logit: float
) -> None:
    loss, _, _, to_real, to_fake = asked_of_d(model, logit, logit)
    assert torch.isfinite(loss)
    wrong = to_real if logit < 0 else -to_fake
    right = to_fake if logit < 0 else to_real
    assert (wrong < -1 / 20).all()  # each is a mean over 6 or 12 images
    assert (right.abs() < 1 / 50).all()  # 0 but for smoothing

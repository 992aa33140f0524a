"""Packs of images: only the discriminator (D) sees them."""

import pytest
import torch
from networks import Listener, default_gan, random

from conftest import GREY, stripes
from gan_options import GANS
from ganvae.core.errors import ConfigError
from ganvae.core.images import from_uint8
from ganvae.models.packing import packed, packed_shape
from ganvae.models.registry import system_config


def test_a_pack_joins_consecutive_images_along_channels() -> None:
    images = torch.rand(6, 2, 4, 5)
    packs = packed(images, 3)
    assert packs.shape == (2, *packed_shape((2, 4, 5), 3))
    assert torch.equal(packs[0], torch.cat([images[0], images[1], images[2]]))
    assert torch.equal(packs[1], torch.cat([images[3], images[4], images[5]]))
    assert packed(images, 1) is images


@pytest.mark.parametrize("name", GANS)
def test_d_sees_packs_and_g_sees_single_latents(name: str) -> None:
    model = default_gan(name, batch_size=16, packing=4)
    model.discriminator = d_listener = Listener(model.discriminator)
    model.generator = g_listener = Listener(model.generator)
    n = model.real_images_per_step
    real = from_uint8(stripes(n)[0])
    losses = model.train_step(real, model.optimizers(), random())
    assert all(torch.isfinite(loss) for loss in losses.values())
    *d_step, g_step = d_listener.inputs
    seen = torch.cat(d_step)
    assert seen.shape == (2 * n // 4, 4, *GREY[1:])
    assert torch.equal(seen[: n // 4], packed(model.real_inputs(real), 4))
    assert g_step.shape == (4, 4, *GREY[1:])
    assert [len(latents) for latents in g_listener.inputs] == [n, 16]
    assert model.sample(3, random()).shape == (3, *GREY)


def test_pin_1_packs_of_generated_images_have_images_of_one_batch_of_g() -> None:
    """G's batch norms see single images, so packing must come after G."""
    model = default_gan("dcgan", batch_size=8, packing=2)
    model.discriminator = listener = Listener(model.discriminator)
    latents = model.sample_prior(8, random())
    model.generator_loss(latents, torch.rand(8, *GREY))
    torch.testing.assert_close(listener.inputs[0], packed(model.fake_inputs(latents), 2))


@pytest.mark.parametrize(
    ("name", "packing", "images"),
    [("dcgan", 3, 32), ("vanilla-gan", 32, 16), ("keras-dcgan", 5, 32)],
)
def test_packs_must_divide_the_real_images_of_a_d_step(
    name: str, packing: int, images: int
) -> None:
    message = f"packing is {packing}, but it must divide .*, {images} at batch_size 32"
    with pytest.raises(ConfigError, match=message):
        system_config(name, {"batch_size": 32, "packing": packing})

"""The system dcgan: layers, images in [-1, 1], losses and intervals."""

from pathlib import Path

import pytest
import torch
from networks import Listener, default_gan, random
from torch import nn

from conftest import GREY, stripes, tiny_model
from ganvae.config import Params
from ganvae.core.errors import ConfigError
from ganvae.core.images import from_uint8
from ganvae.models.registry import build_model, count_parameters, system_config
from ganvae.models.systems.dcgan import DCGAN
from ganvae.training.checkpoint import TrainingState
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import train


def test_dcgan_layers() -> None:
    model = default_gan("dcgan")
    # dense without bias, batch norm; 4 x 4 to 64 channels, batch norm; 4 x 4 to 1 channel, bias
    generator = 100 * 128 * 7 * 7 + 2 * 128 + 128 * 64 * 16 + 2 * 64 + 64 * 16 + 1
    assert count_parameters(model.generator) == generator
    discriminator = (16 + 1) * 64 + (64 * 16 + 1) * 128 + 128 * 7 * 7 + 1
    assert count_parameters(model.discriminator) == discriminator


def test_pin_3_dcgan_discriminator_sees_images_from_minus_one_to_one(smoke: Params) -> None:
    model = tiny_model(smoke, "dcgan")
    assert isinstance(model, DCGAN)
    model.discriminator = listener = Listener(model.discriminator)
    real = torch.tensor([0.0, 1.0]).reshape(2, 1, 1, 1).expand(2, *GREY)
    model.discriminator_losses(real, torch.randn(2, 100), random())
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
    losses = model.discriminator_losses(real, latents, random())
    torch.testing.assert_close(losses["d_loss"], expected)
    torch.testing.assert_close(model.generator_loss(latents, real), -d_fake.log().mean())


def test_dcgan_minimax_loss_is_the_formula(smoke: Params) -> None:
    values = smoke.variants["dcgan"] | {"loss": "minimax"}
    model = build_model("dcgan", system_config("dcgan", values), GREY, 0).eval()
    assert isinstance(model, DCGAN)
    real, latents = from_uint8(stripes(6)[0]), torch.randn(6, 100)
    d_fake = model.discriminator(model.generate(latents) * 2 - 1).sigmoid()
    torch.testing.assert_close(model.generator_loss(latents, real), (1 - d_fake).log().mean())


def test_dcgan_names_the_image_sizes_that_it_refuses() -> None:
    config = system_config("dcgan", {})
    with pytest.raises(ConfigError, match="image height is 30, but it must be a multiple of 4"):
        build_model("dcgan", config, (1, 30, 28), 0)
    deep = system_config("dcgan", {"discriminator_channels": [8] * 6})
    with pytest.raises(ConfigError, match="image height is 28, which cannot be halved 6 times"):
        build_model("dcgan", deep, GREY, 0)


def test_dcgan_defaults_and_intervals() -> None:
    """Losses are reported every 10 epochs, checkpoints saved every 20, samples drawn every 30."""
    config = system_config("dcgan", {})
    schedule = config.schedule
    assert schedule.unit == "epochs"
    intervals = schedule.report_every, schedule.checkpoint_every, schedule.sample_every
    assert intervals == (10, 20, 30)
    assert config.batch_size == 128
    assert config.model_dump()["loss"] == "non-saturating"
    for optimizer in default_gan("dcgan").optimizers().values():
        assert isinstance(optimizer, torch.optim.Adam)


def test_dcgan_training_keeps_the_intervals(smoke: Params, tmp_path: Path) -> None:
    """Losses every epoch, checkpoints every 2 epochs, samples every 3: a tenth of the defaults."""
    intervals = {"report_every": 1, "checkpoint_every": 2, "sample_every": 3}
    values = smoke.variants["dcgan"] | {"schedule": {"unit": "epochs", "length": 9, **intervals}}
    saved = []
    with pytest.MonkeyPatch.context() as patch:
        original = TrainingState.save
        patch.setattr(
            TrainingState,
            "save",
            lambda state, *paths: (saved.append(state.step), original(state, *paths)),
        )
        result = train(
            RunSpec("dcgan", system_config("dcgan", values), 0), stripes(64)[0], tmp_path
        )
    assert [row["epoch"] for row in result.history] == list(range(1, 10))
    assert saved == [4, 8, 12, 16, 18]  # two steps per epoch, and the last step
    drawn = sorted(int(path.stem[5:]) for path in (tmp_path / "samples").iterdir())
    assert drawn == [0, 2, 6, 12, 18]  # start, first epoch, every third epoch


def test_r1_is_weighted_and_computed_on_a_share_of_the_real_images(smoke: Params) -> None:
    """The gradient of a linear D is its weight, at every image."""
    values = smoke.variants["dcgan"] | {"r1": 4.0, "penalty_share": 0.25}
    model = build_model("dcgan", system_config("dcgan", values), GREY, 0)
    assert isinstance(model, DCGAN)
    model.discriminator = listener = Listener(nn.Sequential(nn.Flatten(), nn.Linear(784, 1)))
    losses = model.discriminator_losses(from_uint8(stripes(8)[0]), torch.randn(8, 100), random())
    weight = listener.network[1].weight
    torch.testing.assert_close(losses["r1"], 4.0 * weight.square().sum() / 2)
    assert [len(batch) for batch in listener.inputs] == [16, 2]


def test_a_weight_of_0_computes_no_r1_penalty(smoke: Params) -> None:
    model = tiny_model(smoke, "dcgan")
    assert isinstance(model, DCGAN)
    losses = model.discriminator_losses(from_uint8(stripes(4)[0]), torch.randn(4, 100), random())
    assert losses.keys() == {"d_loss"}


def test_the_generator_works_without_batch_norms(smoke: Params) -> None:
    values = smoke.variants["dcgan"] | {"generator_norm": "none"}
    model = build_model("dcgan", system_config("dcgan", values), GREY, 0)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in model.modules())
    assert all(
        layer.bias is not None
        for layer in model.modules()
        if isinstance(layer, nn.Linear | nn.ConvTranspose2d)
    )


def test_former_names_are_read(smoke: Params) -> None:
    """Weights files and parameter files of earlier versions have these names."""
    former = {"generator_loss": "minimax", "r1": 1.0, "r1_share": 0.5}
    config = system_config("dcgan", former)
    assert config.model_dump(exclude_unset=True) == {
        "loss": "minimax",
        "r1": 1.0,
        "penalty_share": 0.5,
    }
    with pytest.raises(ConfigError, match="r1_share is the former name of penalty_share"):
        system_config("dcgan", former | {"penalty_share": 0.5})


def test_batch_norms_of_d_follow_all_convolutions_but_the_first(smoke: Params) -> None:
    values = smoke.variants["dcgan"] | {"discriminator_norm": "batch"}
    model = build_model("dcgan", system_config("dcgan", values), GREY, 0)
    assert isinstance(model, DCGAN)
    kinds = [type(layer).__name__ for layer in model.discriminator[0]]  # type: ignore[index]
    assert kinds == ["Conv2d", "LeakyReLU", "Conv2d", "BatchNorm2d", "LeakyReLU"]
    model.discriminator = listener = Listener(model.discriminator)
    model.discriminator_losses(from_uint8(stripes(8)[0]), torch.randn(8, 100), random())
    assert [len(batch) for batch in listener.inputs] == [8, 8], "real and generated must not mix"

"""The system keras-dcgan: layers, modes and Keras's optimizer."""

import copy
import math

import pytest
import torch
from networks import Listener, default_model, random, shapes
from torch import nn

from conftest import stripes
from ganvae.core.images import from_uint8
from ganvae.models.convolution import Conv2d, ConvTranspose2d, UpsampledConvTranspose2d
from ganvae.models.layers import Dropout, Flatten, SamePadding, Unflatten
from ganvae.models.optimizers import KerasRMSprop
from ganvae.models.registry import count_parameters, system_config
from ganvae.models.systems.keras_dcgan import KerasDCGAN


def keras_dcgan(**changes: object) -> KerasDCGAN:
    model = default_model("keras-dcgan", **changes)
    assert isinstance(model, KerasDCGAN)
    return model


NARROW = {
    "generator_channels": [8, 8, 4, 4],
    "discriminator_channels": [4, 4, 8, 8],
    "batch_size": 16,
}


def test_parameter_counts() -> None:
    """The counts by hand, with 5 x 5 = 25 weights per pair of channels and one bias per channel.

    Discriminator:
        1 -> 64        25 *   1 *  64 +  64 =     1,664
        64 -> 128      25 *  64 * 128 + 128 =   204,928
        128 -> 256     25 * 128 * 256 + 256 =   819,456
        256 -> 512     25 * 256 * 512 + 512 = 3,277,312
        8192 -> 1               8,192 +   1 =     8,193
                                              4,311,553
    Generator (a batch norm has one scale and one shift per feature):
        100 -> 12544   100 * 12,544 + 12,544 = 1,266,944
        batch norm              2 * 12,544   =    25,088
        256 -> 128     25 * 256 * 128 + 128  =   819,328, batch norm 2 * 128 = 256
        128 -> 64      25 * 128 *  64 +  64  =   204,864, batch norm 2 *  64 = 128
        64 -> 32       25 *  64 *  32 +  32  =    51,232, batch norm 2 *  32 =  64
        32 -> 1        25 *  32 *   1 +   1  =       801
                                               2,368,705
    """
    model = keras_dcgan()
    assert count_parameters(model.discriminator) == 4_311_553
    assert count_parameters(model.generator) == 2_368_705


def test_discriminator_shapes() -> None:
    network = keras_dcgan().discriminator.eval()
    assert shapes(network, torch.zeros(2, 1, 28, 28), (Conv2d, Flatten, nn.Linear)) == [
        [64, 14, 14],
        [128, 7, 7],
        [256, 4, 4],
        [512, 4, 4],
        [8192],
        [1],
    ]
    kinds = [type(layer) for layer in network]
    block = [SamePadding, Conv2d, nn.LeakyReLU, Dropout]
    assert kinds == [*block * 4, Flatten, nn.Linear]
    for layer in network:
        if isinstance(layer, Conv2d):
            assert layer.kernel_size == (5, 5)
        if isinstance(layer, nn.LeakyReLU):
            assert layer.negative_slope == 0.2
        if isinstance(layer, Dropout):
            assert layer.p == 0.4


def test_generator_shapes() -> None:
    network = keras_dcgan().generator.eval()
    kinds = (nn.Linear, Unflatten, nn.ConvTranspose2d)
    assert shapes(network, torch.zeros(2, 100), kinds) == [
        [12544],
        [256, 7, 7],
        [128, 14, 14],
        [64, 28, 28],
        [32, 28, 28],
        [1, 28, 28],
    ]
    norm_and_relu = [nn.BatchNorm2d, nn.ReLU]
    assert [type(layer) for layer in network] == [
        *(nn.Linear, nn.BatchNorm1d, nn.ReLU, Unflatten, Dropout),
        *(UpsampledConvTranspose2d, *norm_and_relu),
        *(UpsampledConvTranspose2d, *norm_and_relu),
        *(ConvTranspose2d, *norm_and_relu),
        ConvTranspose2d,
    ]
    assert {layer.p for layer in network if isinstance(layer, Dropout)} == {0.4}
    for layer in network:
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            assert (layer.eps, layer.momentum) == (1e-3, 0.1)


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "before", "after"),
    [(28, 5, 2, 1, 2), (14, 5, 2, 1, 2), (7, 5, 2, 2, 2), (4, 5, 1, 2, 2), (5, 2, 3, 0, 0)],
)
def test_same_padding_matches_tensorflow(
    side: int, kernel: int, stride: int, before: int, after: int
) -> None:
    """out = ceil(side / stride), and the number of zeros is (out - 1) * stride + kernel - side.

    An odd zero comes at the end. Side 7 with stride 2: out is 4, zeros are 3 * 2 + 5 - 7 = 4.
    Side 28 with stride 2: out is 14, zeros are 13 * 2 + 5 - 28 = 3.
    """
    padded = SamePadding(kernel, stride)(torch.ones(1, 1, side, side))[0, 0]
    row = padded[padded.shape[0] // 2].tolist()
    assert row == [0.0] * before + [1.0] * side + [0.0] * after
    assert torch.equal(padded, padded.T)


def test_keras_dcgan_defaults() -> None:
    config = system_config("keras-dcgan", {}).model_dump()
    assert config["batch_size"] == 256
    assert config["latent_size"] == 100
    assert config["schedule"] == {
        "unit": "steps",
        "length": 10_000,
        "report_every": 100,
        "sample_every": 500,
        "checkpoint_every": 500,
        "marks": [500, 1000, 1500, 2000, 2500, 3000],
    }
    optimizers = keras_dcgan(**NARROW).optimizers()
    rates = {name: optimizer.param_groups[0] for name, optimizer in optimizers.items()}
    for name, rate, decay in (("discriminator", 2e-4, 6e-8), ("generator", 1e-4, 3e-8)):
        assert isinstance(optimizers[name], KerasRMSprop)
        assert (rates[name]["lr"], rates[name]["decay"]) == (rate, decay)
        assert (rates[name]["alpha"], rates[name]["eps"]) == (0.9, 1e-7)
        assert rates[name]["momentum"] == 0
        assert not rates[name]["centered"]


def test_rmsprop_with_decay_matches_a_sequence_computed_by_hand() -> None:
    """rho is 0.9, epsilon 1e-7, lr_t = lr / (1 + decay * t) from t = 0. The decay is large."""
    parameter = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = KerasRMSprop([parameter], lr=0.1, decay=0.5)
    value, average = 1.0, 0.0
    for t, gradient in enumerate([1.0, -2.0, 0.5, 1e-8]):
        average = 0.9 * average + 0.1 * gradient**2
        value -= 0.1 / (1 + 0.5 * t) * gradient / (math.sqrt(average) + 1e-7)
        parameter.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        assert parameter.item() == pytest.approx(value, rel=1e-12)


def test_epsilon_is_added_outside_the_root() -> None:
    """The gradient is far below epsilon. Inside the root, the step would be 3,000 times smaller."""
    parameter = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = KerasRMSprop([parameter], lr=1.0, decay=0.0)
    parameter.grad = torch.full((1,), 1e-10, dtype=torch.float64)
    optimizer.step()
    expected = -1e-10 / (math.sqrt(0.1) * 1e-10 + 1e-7)
    assert parameter.item() == pytest.approx(expected, rel=1e-9)


def test_pin_13_the_decay_goes_on_after_a_checkpoint() -> None:
    def fresh() -> tuple[nn.Parameter, KerasRMSprop]:
        parameter = nn.Parameter(torch.ones(1))
        return parameter, KerasRMSprop([parameter], lr=0.1, decay=0.5)

    def steps(parameter: nn.Parameter, optimizer: KerasRMSprop) -> None:
        for gradient in (1.0, -0.3):
            parameter.grad = torch.tensor([gradient])
            optimizer.step()

    straight, optimizer = fresh()
    steps(straight, optimizer)
    saved, state = straight.detach().clone(), copy.deepcopy(optimizer.state_dict())
    resumed, other = fresh()
    resumed.data.copy_(saved)
    other.load_state_dict(state)
    steps(straight, optimizer)
    steps(resumed, other)
    assert torch.equal(straight, resumed)


def test_the_d_step_uses_one_merged_batch_with_images_of_eval_mode() -> None:
    model = keras_dcgan(**NARROW)
    real = from_uint8(stripes(16)[0])
    for _ in range(3):  # the running statistics leave their initial values
        model.train_step(real, model.optimizers(), random())
    latents = model.sample_prior(16, random(5))
    expected = model.decode(latents)
    model.discriminator = d_listener = Listener(model.discriminator)
    model.generator = g_listener = Listener(model.generator)
    model.train()
    model.discriminator_losses(real, latents, random())
    assert g_listener.modes == [False]
    assert model.generator.training, "the D step must restore G's training mode"
    merged = d_listener.inputs[0]
    assert merged.shape == (32, 1, 28, 28)
    assert torch.equal(merged[:16], real)
    torch.testing.assert_close(merged[16:], expected)
    assert d_listener.modes == [True]


def test_the_g_step_is_in_training_mode_and_draws_new_latents() -> None:
    model = keras_dcgan(**NARROW)
    model.generator = g_listener = Listener(model.generator)
    model.discriminator = d_listener = Listener(model.discriminator)
    real = from_uint8(stripes(16)[0])
    model.train_step(real, model.optimizers(), random())
    assert g_listener.modes == [False, True]
    assert d_listener.modes == [True, True]  # D's dropout is active in the G step too
    d_latents, g_latents = g_listener.inputs
    assert d_latents.shape == g_latents.shape == (16, 100)
    assert not torch.equal(d_latents, g_latents)
    for latents in (d_latents, g_latents):
        assert -1 <= latents.min() < -0.9 < 0.9 < latents.max() <= 1


def test_pin_11_labels_are_exactly_one_and_zero() -> None:
    model = keras_dcgan(**NARROW).eval()
    real, latents = from_uint8(stripes(8)[0]), model.sample_prior(8, random())
    d_real = model.discriminator(real).sigmoid()
    d_fake = model.discriminator(model.generate(latents)).sigmoid()
    merged = torch.cat([d_real.log(), (1 - d_fake).log()])
    losses = model.discriminator_losses(real, latents, random())
    torch.testing.assert_close(losses["d_loss"], -merged.mean())
    torch.testing.assert_close(model.generator_loss(latents, real), -d_fake.log().mean())


def test_initial_weights_match_keras() -> None:
    """Glorot uniform has variance 2 / (inputs + outputs), each times 25 taps. Biases are 0."""
    layer = keras_dcgan().discriminator[5]
    assert isinstance(layer, Conv2d)
    assert layer.weight.var().item() == pytest.approx(2 / (25 * 64 + 25 * 128), rel=0.02)
    limit = math.sqrt(6 / (25 * 64 + 25 * 128))
    assert 0.99 * limit < layer.weight.abs().max() <= limit
    assert layer.bias is not None
    assert not layer.bias.any()

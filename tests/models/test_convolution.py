"""The faster convolutions have the same outputs and gradients as torch's."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvae.models.convolution import Conv2d, ConvTranspose2d, UpsampledConvTranspose2d
from ganvae.models.registry import build_model, system_config

Layer = nn.Conv2d | nn.ConvTranspose2d


def assert_same_outputs_and_gradients(ours: Layer, theirs: Layer, size: tuple[int, ...]) -> None:
    """Compare two layers in double precision, with the same weights and random images."""
    ours.double(), theirs.double().load_state_dict(ours.state_dict())
    images = [torch.randn(size, dtype=torch.float64).requires_grad_()]
    images.append(images[0].detach().clone().requires_grad_())
    outputs = [layer(batch) for layer, batch in zip((ours, theirs), images, strict=True)]
    torch.testing.assert_close(*outputs, rtol=0, atol=1e-12)
    gradient = torch.randn_like(outputs[0])
    for output in outputs:
        output.backward(gradient)
    torch.testing.assert_close(images[0].grad, images[1].grad, rtol=0, atol=1e-12)
    for name, parameter in ours.named_parameters():
        other = theirs.get_parameter(name)
        torch.testing.assert_close(parameter.grad, other.grad, rtol=0, atol=1e-11)


@pytest.mark.parametrize("inputs", [1, 3, 8])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(4, 2, 1), (3, 2, 1), (5, 1, 0)])
def test_convolution_equals_torch(inputs: int, kernel: int, stride: int, padding: int) -> None:
    settings = (inputs, 6, kernel, stride, padding)
    ours, theirs = Conv2d(*settings), nn.Conv2d(*settings)
    assert_same_outputs_and_gradients(ours, theirs, (2, inputs, 11, 8))


@pytest.mark.parametrize("outputs", [1, 3, 8])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "extra"),
    [(4, 2, 1, 0), (3, 2, 1, 1), (3, 2, 1, 0), (5, 1, 2, 0)],
)
@pytest.mark.parametrize("bias", [True, False])
def test_transposed_convolution_equals_torch(
    outputs: int, kernel: int, stride: int, padding: int, extra: int, bias: bool
) -> None:
    settings = (6, outputs, kernel, stride, padding, extra)
    ours = ConvTranspose2d(*settings, bias=bias)
    theirs = nn.ConvTranspose2d(*settings, bias=bias)
    assert_same_outputs_and_gradients(ours, theirs, (2, 6, 5, 4))


def test_second_derivatives_equal_torch() -> None:
    ours = Conv2d(1, 6, 4, 2, 1).double()
    theirs = nn.Conv2d(1, 6, 4, 2, 1).double()
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(2, 1, 8, 8, dtype=torch.float64).requires_grad_()
    second = []
    for layer in (ours, theirs):
        (first,) = torch.autograd.grad(layer(images).square().sum(), images, create_graph=True)
        second.append(torch.autograd.grad(first.square().sum(), layer.weight)[0])
    torch.testing.assert_close(*second, rtol=0, atol=1e-9)


class Plain(nn.ConvTranspose2d):
    """The layer without folding: copy every pixel four times, then a transposed convolution."""

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        return super().forward(F.interpolate(images, scale_factor=2, mode="nearest"))


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_folded_upsampling_equals_plain_upsampling(kernel: int) -> None:
    torch.manual_seed(0)
    folded = UpsampledConvTranspose2d(3, 4, kernel)
    plain = Plain(3, 4, kernel, padding=kernel // 2)
    assert folded(torch.randn(2, 3, 5, 6)).shape == (2, 4, 10, 12)
    assert_same_outputs_and_gradients(folded, plain, (2, 3, 5, 6))


def test_keras_dcgan_weights_fit_folded_and_plain_upsampling() -> None:
    config = system_config("keras-dcgan", {"generator_channels": [8, 4, 4, 2]})
    model = build_model("keras-dcgan", config, (1, 28, 28), 0)
    generator = model.get_submodule("generator").eval()
    assert isinstance(generator, nn.Sequential)
    layers = [_plain(layer) if isinstance(layer, UpsampledConvTranspose2d) else layer
              for layer in generator]  # fmt: skip
    plain = nn.Sequential(*layers).eval()
    assert sum(isinstance(layer, Plain) for layer in plain) == 2
    plain.load_state_dict(generator.state_dict())
    latents = torch.rand(3, 100) * 2 - 1
    torch.testing.assert_close(generator(latents), plain(latents), rtol=0, atol=1e-5)
    generator.load_state_dict(plain.state_dict())


def _plain(layer: UpsampledConvTranspose2d) -> Plain:
    kernel = layer.kernel_size[0]
    return Plain(layer.in_channels, layer.out_channels, kernel, padding=kernel // 2)


def test_the_kernel_is_folded_in_full_precision_under_autocast() -> None:
    """The sums of weights are rounded only once, to the precision of the product."""
    torch.manual_seed(0)
    layer = UpsampledConvTranspose2d(2, 3, 5)
    with torch.autocast("cpu", torch.bfloat16):
        folded = layer._folded()
    assert folded.dtype == torch.float32
    assert torch.equal(folded, layer._folded())

"""The image contract."""

import pytest
import torch
from torch import Tensor, nn

from conftest import GREY
from ganvae.core.images import ImageError, check_images, from_uint8, grid, to_uint8
from ganvae.models.base import GenerativeModel, VariationalModel


@pytest.mark.parametrize("value", [-0.001, 1.001, float("nan"), float("inf")])
def test_a_value_outside_the_range_is_reported(value: float) -> None:
    images = torch.full((2, 1, 2, 2), 0.5)
    images[1, 0, 1, 0] = value
    with pytest.raises(ImageError, match=rf"samples: .*found {str(value)[:5]}"):
        check_images(images, "samples")


@pytest.mark.parametrize(
    "images", [torch.zeros(2, 28, 28), torch.zeros(2, 1, 2, 2).double(), torch.zeros(4).byte()]
)
def test_other_shapes_and_types_are_refused(images: torch.Tensor) -> None:
    with pytest.raises(ImageError, match="expected float32 of shape N x C x H x W"):
        check_images(images)


def test_uint8_survives_the_round_trip() -> None:
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(to_uint8(from_uint8(levels)), levels)


def test_pin_3_quantisation_rounds_to_the_nearest() -> None:
    images = torch.tensor([0.4 / 255, 0.6 / 255, 1.0]).reshape(1, 1, 1, 3)
    assert to_uint8(images).flatten().tolist() == [0, 1, 255]


class _Constant(nn.Module):
    """Replaces the generator or decoder: gives the same output for all latents."""

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = nn.Parameter(value)

    def forward(self, latents: Tensor) -> Tensor:
        return self.value.expand(len(latents), *self.value.shape)


SIGNED = {"dcgan"}  # outputs end in tanh, in [-1, 1]; all others in a sigmoid


def test_pin_3_models_of_one_picture_give_the_same_uint8(model: GenerativeModel) -> None:
    """Samples and reconstructions are the picture itself, rounded, for tanh and sigmoid."""
    picture = torch.linspace(0.002, 0.998, 784, dtype=torch.float64)
    output = (2 * picture - 1).atanh() if model.name in SIGNED else picture.logit()
    network = "decoder" if hasattr(model, "decoder") else "generator"
    drawn = model.get_submodule(network).eval()(model.sample_prior(1, _random()))
    setattr(model, network, _Constant(output.float().reshape(drawn.shape[1:])))
    outputs = [model.sample(3, _random())]
    if isinstance(model, VariationalModel):
        outputs.append(model.reconstruct(torch.zeros(3, *GREY)))
    for images in outputs:
        assert images.shape == (3, *GREY)
        for image in to_uint8(images):
            assert torch.equal(image.flatten(), (picture * 255).round().byte())


def _random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_grid_places_images_row_by_row() -> None:
    images = torch.arange(3, dtype=torch.uint8).reshape(3, 1, 1, 1).expand(3, 1, 2, 2)
    canvas = grid(images, columns=2)[:, :, 0]
    assert canvas.shape == (7, 7)
    assert canvas[1, 1] == 0
    assert canvas[1, 4] == 1
    assert canvas[4, 1] == 2
    assert canvas[0, 0] == canvas[4, 4] == 96

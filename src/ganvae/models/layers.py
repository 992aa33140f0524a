"""Layers and networks that several systems share."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvae.core.errors import ConfigError
from ganvae.models.base import ImageShape
from ganvae.models.convolution import Conv2d, ConvTranspose2d


def mlp(sizes: Sequence[int], activation: Callable[[], nn.Module]) -> nn.Sequential:
    """Build dense layers ``sizes[0] -> ... -> sizes[-1]``, with activations between the layers."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        if layers:
            layers.append(activation())
        layers.append(nn.Linear(inputs, outputs))
    return nn.Sequential(*layers)


def with_batch_norm(network: nn.Sequential) -> nn.Sequential:
    """Return the layers of ``network`` with a batch norm before each ReLU or tanh.

    The layer before these must be dense or a convolution, plain or transposed. The initial values
    of all other layers stay the same.
    """
    layers: list[nn.Module] = []
    for layer in network:
        if isinstance(layer, nn.ReLU | nn.Tanh):
            before = layers[-1]
            if isinstance(before, nn.Linear):
                layers.append(nn.BatchNorm1d(before.out_features))
            else:
                assert isinstance(before, nn.Conv2d | nn.ConvTranspose2d), before
                layers.append(nn.BatchNorm2d(before.out_channels))
        layers.append(layer)
    return nn.Sequential(*layers)


def leaky_relu() -> nn.Module:
    """Create a LeakyReLU with slope 0.2, as is usual in discriminators (1511.06434)."""
    return nn.LeakyReLU(0.2)


def downsampling(
    channels: Sequence[int], activation: Callable[[], nn.Module], batch_norm: bool = False
) -> nn.Sequential:
    """Build 4 x 4 convolutions of stride 2, each followed by an activation.

    Each convolution halves height and width, rounded down. Batch norm (optional) follows every
    convolution except the first (1511.06434, section 3). ``channels`` lists the input channels,
    then the output channels of each convolution.
    """
    layers: list[nn.Module] = []
    for position, (inputs, outputs) in enumerate(pairwise(channels)):
        layers.append(Conv2d(inputs, outputs, 4, stride=2, padding=1))
        if batch_norm and position > 0:
            layers.append(nn.BatchNorm2d(outputs))
        layers.append(activation())
    return nn.Sequential(*layers)


def upsampling(channels: Sequence[int], batch_norm: bool = True) -> nn.Sequential:
    """Build 4 x 4 transposed convolutions of stride 2. Each one doubles height and width.

    Batch norm (optional) and ReLU follow every convolution except the last. ``channels`` lists the
    input channels, then the output channels of each convolution.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(channels[:-1]):
        layers.append(ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm2d(outputs))
        layers.append(nn.ReLU())
    layers.append(ConvTranspose2d(channels[-2], channels[-1], 4, stride=2, padding=1))
    return nn.Sequential(*layers)


def strided_discriminator(
    image_shape: ImageShape, channels: Sequence[int], batch_norm: bool = False
) -> nn.Sequential:
    """Build a discriminator: the layers of `downsampling`, then a dense layer to one logit.

    ``channels`` lists the output channels of each convolution.
    """
    image_channels, height, width = image_shape
    widths = [image_channels, *channels]
    top_height = halved_side(height, len(channels), "height")
    top_width = halved_side(width, len(channels), "width")
    return nn.Sequential(
        downsampling(widths, leaky_relu, batch_norm),
        Flatten(),
        nn.Linear(widths[-1] * top_height * top_width, 1),
    )


class Dropout(nn.Dropout):
    """Dropout that draws its masks in a quarter of torch's time on a CPU.

    One random number of 64 bits decides for four features whether they are dropped. torch draws one
    random number per feature. The dropped fraction is ``p``, rounded to a multiple of 1/65536 below
    1. The kept features are scaled up, so that the expected value of each feature stays the same.
    """

    def forward(self, features: Tensor) -> Tensor:
        if not self.training or features.device.type != "cpu":
            return super().forward(features)
        values = 2**16
        dropped = min(round(self.p * values), values - 1)
        bits = torch.empty(-(-features.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        draws = bits.view(torch.int16)[: features.numel()]
        kept = (draws >= dropped - values // 2).to(features.dtype)
        mask = torch.empty_like(features, requires_grad=False)  # keeps the memory format
        mask.as_strided((features.numel(),), (1,)).copy_(kept)
        return features * mask.mul_(values / (values - dropped))


class Flatten(nn.Module):
    """Flatten N x C x H x W to N x (H W C), pixel after pixel.

    Images in channels_last memory already have this order. So neither the forward pass nor the
    backward pass copies data.
    """

    def forward(self, images: Tensor) -> Tensor:
        return images.permute(0, 2, 3, 1).flatten(start_dim=1)


class Unflatten(nn.Module):
    """Undo `Flatten`: N x (H W C) becomes N x C x H x W in channels_last memory."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.sizes = height, width, channels

    def forward(self, features: Tensor) -> Tensor:
        return features.unflatten(1, self.sizes).permute(0, 3, 1, 2)


def half(side: int) -> int:
    """Return half of ``side``, rounded up: the output side of a stride of 2 with `SamePadding`."""
    return -(-side // 2)


def to_size(inputs: int, outputs: int, source: Sequence[int], target: Sequence[int]) -> nn.Module:
    """Build a 3 x 3 transposed convolution of stride 2 from one image size to another.

    Both sizes are (height, width). Each side of ``source`` must be `half` of the same side of
    ``target``.
    """
    extra = target[0] - (2 * source[0] - 1), target[1] - (2 * source[1] - 1)
    return ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=extra)


class SamePadding(nn.Module):
    """Zero padding around an image, as in TensorFlow's ``SAME`` mode.

    If an odd number of zeros is needed, the extra row is at the bottom and the extra column at the
    right. A following convolution with the same kernel and stride gives output sides of
    ceil(side / stride).
    """

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = stride

    def forward(self, images: Tensor) -> Tensor:
        top, bottom = self._ends(images.shape[2])
        left, right = self._ends(images.shape[3])
        return F.pad(images, (left, right, top, bottom))

    def _ends(self, side: int) -> tuple[int, int]:
        outputs = -(-side // self.stride)
        total = max((outputs - 1) * self.stride + self.kernel - side, 0)
        return total // 2, total - total // 2


def halved_side(side: int, halvings: int, name: str) -> int:
    """Return ``side`` after ``halvings`` convolutions of `downsampling`.

    ``name`` is the side's name in the error message: height or width.

    Raises:
        ConfigError: the result would be 0.
    """
    small = side // 2**halvings
    if small == 0:
        raise ConfigError(
            f"the image {name} is {side}, which cannot be halved {halvings} times. Use larger "
            "images, or list fewer discriminator_channels."
        )
    return small


def undoubled_side(side: int, doublings: int, name: str) -> int:
    """Return the side that becomes ``side`` if it is doubled ``doublings`` times.

    ``name`` is the side's name in the error message: height or width.

    Raises:
        ConfigError: ``side`` is not a positive multiple of 2 ** ``doublings``.
    """
    small, remainder = divmod(side, 2**doublings)
    if remainder or small == 0:
        raise ConfigError(
            f"the image {name} is {side}, but it must be a multiple of {2**doublings}, because the "
            f"network doubles a smaller {name} {doublings} times. Use images of another size."
        )
    return small

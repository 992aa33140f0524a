"""Faster versions of torch's convolutions, with the same weights.

The formulas are exact, so results differ from the results of torch only by rounding. Each version
was chosen by measurements on CPUs (benchmarks/README.md).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEW_CHANNELS = 4  # too few channels to fill a vector register of a CPU


class Conv2d(nn.Conv2d):
    """A convolution with a faster gradient on CPUs, for inputs with few channels.

    The faster gradient is the gradient with respect to the input. A generator is trained with this
    gradient: it passes through the discriminator's first layer, whose input is an image. In this
    case, the class computes the convolution as a matrix product of the weights with the patches of
    the image. The matrix product takes half the time of torch's convolution.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding)
        self.geometry = kernel, 1, padding, stride  # the arguments of `unfold`

    def forward(self, images: Tensor) -> Tensor:
        """Map images, N x inputs x H x W, to images, N x outputs x H' x W'."""
        applies = self.in_channels <= FEW_CHANNELS and images.device.type == "cpu"
        if applies and images.requires_grad:
            return self._as_product(images)
        return super().forward(images)

    def _as_product(self, images: Tensor) -> Tensor:
        patches = F.unfold(images, *self.geometry)
        n, features, places = patches.shape
        pixels = F.linear(
            patches.transpose(1, 2).reshape(n * places, features),
            self.weight.flatten(start_dim=1),
            self.bias,
        )
        kernel, _, padding, stride = self.geometry
        height = (images.shape[2] + 2 * padding - kernel) // stride + 1
        return pixels.view(n, height, places // height, -1).permute(0, 3, 1, 2)


class ConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution that is faster on CPUs than torch's.

    The bias is added after the convolution. Otherwise oneDNN (torch's CPU library) would sum up the
    bias gradient one number at a time, and take a slow path for some sizes. A transposed
    convolution with a stride above 1 and few output channels is computed as a matrix product. In
    this case, oneDNN would leave most of a vector register empty.
    """

    def __init__(  # noqa: PLR0913  the arguments of torch's class
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        output_padding: int | tuple[int, int] = 0,
        bias: bool = True,
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding, output_padding, bias=bias)
        self.geometry = kernel, 1, padding, stride  # the arguments of `fold`

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map images, N x inputs x H x W, to images, N x outputs x H' x W'."""
        _, _, padding, stride = self.geometry
        if images.device.type != "cpu":
            return super().forward(images)
        if self.out_channels <= FEW_CHANNELS and stride > 1:
            outputs = self._as_product(images)
        else:
            outputs = F.conv_transpose2d(
                images, self.weight, None, stride, padding, self.output_padding
            )
        if self.bias is None:
            return outputs
        return outputs.add_(self.bias.to(outputs.dtype)[:, None, None])

    def _as_product(self, images: Tensor) -> Tensor:
        """Compute one patch of outputs per pixel by a matrix product, then add up the patches."""
        n, _, *sides = images.shape
        pixels = images.permute(0, 2, 3, 1).flatten(0, 2)
        patches = F.linear(pixels, self.weight.flatten(start_dim=1).T)
        columns = patches.view(n, sides[0] * sides[1], -1).transpose(1, 2)
        kernel, _, padding, stride = self.geometry
        height, width = (
            (side - 1) * stride + kernel - 2 * padding + extra
            for side, extra in zip(sides, self.output_padding, strict=True)
        )
        return F.fold(columns, (height, width), *self.geometry)


class UpsampledConvTranspose2d(nn.ConvTranspose2d):
    """Nearest-neighbour upsampling by 2, then a transposed convolution of stride 1.

    The transposed convolution keeps the image size and owns ``weight`` and ``bias``. An upsampled
    image contains each pixel four times. So weights that multiply copies of the same pixel can be
    added before the convolution. The sums form a smaller kernel for each of the four places in a
    block of 2 x 2 outputs. The four kernels are applied to the image before upsampling (sub-pixel
    convolution, 1609.07009). The result differs from the direct computation only by rounding.
    A 5 x 5 kernel needs 9/25 of the multiplications.
    """

    folding: Tensor
    """A matrix that adds up the weights of each small kernel.

    An entry is 1 if a weight multiplies a pixel, else 0. The rows are 2 x 2 places times
    width x width pixels of the image before upsampling. The columns are kernel x kernel weights.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        """Create the layer. ``kernel`` must be odd, or the image size would change."""
        assert kernel % 2 == 1, kernel
        super().__init__(inputs, outputs, kernel, padding=kernel // 2)
        line = _folding(kernel)
        square = torch.einsum("atk,bul->abtukl", line, line)
        self.width = line.shape[1]  # side of each of the four kernels
        self.register_buffer("folding", square.flatten(4).flatten(0, 3), persistent=False)

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map images, N x inputs x H x W, to images, N x outputs x 2H x 2W."""
        assert self.bias is not None
        blocks = F.conv2d(images, self._folded(), self.bias.repeat(4), padding=self.width // 2)
        n, _, height, width = blocks.shape
        # The channels are (row in block, column in block, output). They come last in memory.
        blocks = blocks.permute(0, 2, 3, 1).unflatten(3, (2, 2, -1)).transpose(2, 3)
        return blocks.reshape(n, 2 * height, 2 * width, -1).permute(0, 3, 1, 2)

    def _folded(self) -> Tensor:
        """Return the four small kernels, joined to one kernel with 4 x outputs output channels."""
        inputs, outputs = self.weight.shape[:2]
        # A transposed convolution of stride 1 equals a convolution with the flipped kernel.
        kernel = self.weight.flip(2, 3).flatten(2)
        # The sums are weights, so they stay in full precision.
        with torch.autocast(kernel.device.type, enabled=False):
            folded = (kernel @ self.folding.T).unflatten(2, (4, self.width, self.width))
        return (
            folded.permute(2, 1, 0, 3, 4)
            .reshape(4 * outputs, inputs, self.width, self.width)
            .contiguous(memory_format=torch.channels_last)
        )


def _folding(kernel: int) -> Tensor:
    """Return a table for one dimension, 2 places x width pixels x kernel weights.

    An entry is 1 if the weight multiplies the pixel for an output at this place, else 0. The output
    at 2 i + place depends on the upsampled pixels at 2 i + place + offset. Before upsampling, these
    are the pixels at i + floor((place + offset) / 2).
    """
    half = kernel // 2
    reach = (half + 1) // 2  # pixels on each side of the centre
    folding = torch.zeros(2, 2 * reach + 1, kernel)
    for place in range(2):
        for position in range(kernel):
            folding[place, reach + (place + position - half) // 2, position] = 1
    return folding

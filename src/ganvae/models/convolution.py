"""torch's convolutions by faster routes: the same weights, and the same results but for rounding.

The routes were found by measuring on CPUs (benchmarks/README.md); each is exact mathematics.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEW_CHANNELS = 4  # fewer than a vector register holds, which is what convolutions are made for


class Conv2d(nn.Conv2d):
    """A convolution whose gradient with respect to an image of few channels is quick on CPUs.

    That gradient is all that G learns by in a discriminator's first layer. As a matrix product
    with the image's patches it takes half the time that a convolution's takes.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding)
        self.geometry = kernel, 1, padding, stride  # as `unfold` takes it

    def forward(self, images: Tensor) -> Tensor:
        """N x inputs x H x W to N x outputs x H' x W'."""
        few = self.in_channels <= FEW_CHANNELS and images.device.type == "cpu"
        return self._as_product(images) if few and images.requires_grad else super().forward(images)

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
    """A transposed convolution made for CPUs: its bias is added afterwards, and one of a stride
    to few channels is a matrix product.

    With a bias oneDNN sums up its gradient one number at a time, and takes a slow path for some
    sizes. To few channels its kernels leave most of a register empty.
    """

    def __init__(  # noqa: PLR0913  those of torch
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
        self.geometry = kernel, 1, padding, stride  # as `fold` takes it

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """N x inputs x H x W to N x outputs x H' x W'."""
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
        """What each pixel adds to the outputs around it, then all of that summed up."""
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
    """Nearest upsampling by 2, then a transposed convolution of stride 1 that keeps the size.

    ``weight`` and ``bias`` are those of the transposed convolution. As an upsampled image holds
    every pixel four times, the products with copies of one pixel are taken together: the kernel
    is summed up over them, which gives a smaller kernel for each of the four places in a block of
    2 x 2 outputs, and these kernels see the small image. The result is the same but for rounding,
    with 9/25 of the multiplications for a 5 x 5 kernel (sub-pixel convolution, 1609.07009).
    """

    folding: Tensor
    """(2 x 2 places, width x width pixels) x (kernel x kernel): which weights see which pixel."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        """``kernel``: odd, or the size would not be kept."""
        assert kernel % 2 == 1, kernel
        super().__init__(inputs, outputs, kernel, padding=kernel // 2)
        line = _folding(kernel)
        square = torch.einsum("atk,bul->abtukl", line, line)
        self.width = line.shape[1]  # of the four kernels
        self.register_buffer("folding", square.flatten(4).flatten(0, 3), persistent=False)

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """N x inputs x H x W to N x outputs x 2H x 2W."""
        assert self.bias is not None
        blocks = F.conv2d(images, self._folded(), self.bias.repeat(4), padding=self.width // 2)
        n, _, height, width = blocks.shape
        # Channels are (row in block, column in block, output), and last in memory.
        blocks = blocks.permute(0, 2, 3, 1).unflatten(3, (2, 2, -1)).transpose(2, 3)
        return blocks.reshape(n, 2 * height, 2 * width, -1).permute(0, 3, 1, 2)

    def _folded(self) -> Tensor:
        """The four kernels as one of 4 x outputs channels."""
        inputs, outputs = self.weight.shape[:2]
        # A transposed convolution of stride 1 is one with the kernel turned around.
        kernel = self.weight.flip(2, 3).flatten(2)
        with torch.autocast(kernel.device.type, enabled=False):  # the sums are weights: in full
            folded = (kernel @ self.folding.T).unflatten(2, (4, self.width, self.width))
        return (
            folded.permute(2, 1, 0, 3, 4)
            .reshape(4 * outputs, inputs, self.width, self.width)
            .contiguous(memory_format=torch.channels_last)
        )


def _folding(kernel: int) -> Tensor:
    """2 places x width pixels x kernel, on a line: 1 where a weight falls on a pixel.

    The output at 2 i + place sees the upsampled pixels at 2 i + place + offset, which are the
    small image's at i + floor((place + offset) / 2).
    """
    half = kernel // 2
    reach = (half + 1) // 2  # pixels to each side
    folding = torch.zeros(2, 2 * reach + 1, kernel)
    for place in range(2):
        for position in range(kernel):
            folding[place, reach + (place + position - half) // 2, position] = 1
    return folding

"""The order in which training sees its images, as a pure function of the step."""

import torch
from torch import Tensor

from ganvae.config import Binarization
from ganvae.core.images import binarised, from_uint8
from ganvae.core.seeds import binarisation, generator


class Batches:
    """Batches from an in-memory training set, epoch after epoch, each in its own random order.

    The epochs' orders are strung together and cut into batches, so no image is ever dropped and
    a batch may straddle two epochs. Any step's batch can be asked for at any time: there is no
    state to save.
    """

    def __init__(
        self, images: Tensor, batch_size: int, seed: int, binarize: Binarization = "none"
    ) -> None:
        """Cut the images, uint8, N x C x H x W, on the device that trains, into batches."""
        if binarize == "static":
            images = binarised(images, binarisation("train", images.device.type))
        self._images = images
        self._dynamic = binarize == "dynamic"
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64)

    def __getitem__(self, step: int) -> Tensor:
        """Contract images of batch number ``step``, counting from 0."""
        n = len(self._images)
        start, stop = step * self._batch_size, (step + 1) * self._batch_size
        index = []
        while start < stop:
            epoch, first = divmod(start, n)
            last = min(n, first + stop - start)
            index.append(self._permutation(epoch)[first:last])
            start += last - first
        images = self._images[torch.cat(index)]
        if self._dynamic:
            device = images.device.type
            images = binarised(images, generator(self._seed, "binarised", step, device=device))
        return from_uint8(images)

    def epochs(self, steps: int) -> float:
        """How many times the images have been seen after ``steps`` batches."""
        return steps * self._batch_size / len(self._images)

    def _permutation(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            random = generator(self._seed, "order", epoch)
            order = torch.randperm(len(self._images), generator=random)
            self._epoch, self._order = epoch, order.to(self._images.device)
        return self._order

"""Batches of training images. Each batch is a pure function of the step."""

import torch
from torch import Tensor

from ganvae.config import Binarization
from ganvae.core.images import binarised, from_uint8
from ganvae.core.seeds import binarisation, generator


class Batches:
    """Batches from a training set in memory. Each epoch has its own random order of the images.

    The orders of all epochs are joined and then cut into batches. So no image is dropped, and a
    batch may contain images of two epochs. The batch of any step can be computed at any time, so
    checkpoints need no state of this class.
    """

    def __init__(
        self, images: Tensor, batch_size: int, seed: int, binarize: Binarization = "none"
    ) -> None:
        """Prepare ``images`` (uint8, N x C x H x W), which are on the device that trains.

        ``binarize="static"`` binarises the images once. ``"dynamic"`` binarises the images of each
        batch anew.
        """
        if binarize == "static":
            images = binarised(images, binarisation("train", images.device.type))
        self._images = images
        self._dynamic = binarize == "dynamic"
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64)

    def __getitem__(self, step: int) -> Tensor:
        """Return batch ``step``, counted from 0, as contract images.

        Contract images are float32, N x C x H x W, in [0, 1].
        """
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

    def training_set(self) -> Tensor:
        """Return all images once, in their order, as uint8, N x C x H x W.

        If the variant binarises its images, these images are binarised too.
        """
        if not self._dynamic:
            return self._images
        device = self._images.device.type
        return binarised(self._images, generator(self._seed, "binarised set", device=device))

    def epochs(self, steps: int) -> float:
        """The number of epochs (passes through the training set) after ``steps`` batches."""
        return steps * self._batch_size / len(self._images)

    def _permutation(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            random = generator(self._seed, "order", epoch)
            order = torch.randperm(len(self._images), generator=random)
            self._epoch, self._order = epoch, order.to(self._images.device)
        return self._order

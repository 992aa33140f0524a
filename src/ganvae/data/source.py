"""The interface of data sets, and the form in which they deliver images."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ganvae.config import DataConfig, Layout


@dataclass(frozen=True)
class LabelledImages:
    """Images with labels: ``images`` uint8, N x C x H x W; ``labels`` int64, N, counted from 0."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def __getitem__(self, index: npt.NDArray[np.int64]) -> "LabelledImages":
        return LabelledImages(self.images[index], self.labels[index])


@dataclass(frozen=True)
class Source:
    """A data set before it is split.

    ``test`` is the official test set, or None. ``groups``, int64, has one group number per training
    image. Images of one group always stay in one split.
    """

    train: LabelledImages
    test: LabelledImages | None
    classes: tuple[str, ...]
    groups: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Dataset:
    """A registered data set.

    Attributes:
        summary: the number and kind of its images, and their source.
        shape: channels x height x width of its published images, as text.
        layout: how its files are arranged (`ganvae.config.DataConfig`).
        directory: default folder of its files, relative to the clone.
        load: reads the configured images. Raises `DataError` for a missing or damaged file, and
            `ConfigError` for an option that the data set does not have.
        fetch: downloads an edition (None: the first or only one) into a folder and verifies it.
        editions: the editions that `fetch` can download. Empty if there is only one.
    """

    name: str
    summary: str
    shape: str
    layout: Layout
    directory: str
    load: Callable[[DataConfig], Source]
    fetch: Callable[[Path, str | None], None]
    editions: tuple[str, ...] = ()

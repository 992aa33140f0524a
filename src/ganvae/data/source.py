"""What every data source delivers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ganvae.config import DataConfig, Layout


@dataclass(frozen=True)
class LabelledImages:
    """``images`` uint8, N x C x H x W; ``labels`` int64, N, counting from 0."""

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
    """A data set as it comes: ``test`` is None where it has no official test set.

    ``groups``, int64, one a training image: images of one group never get into different splits.
    """

    train: LabelledImages
    test: LabelledImages | None
    classes: tuple[str, ...]
    groups: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Dataset:
    """A registered data set.

    Attributes:
        summary: how many images of what, and whose they are.
        shape: channels x height x width of its images as published, for people to read.
        layout: how its files lie (`ganvae.config.DataConfig`).
        directory: where its files are looked for unless told otherwise, relative to the clone.
        load: reads what is configured; `DataError` for a missing or corrupt file, `ConfigError`
            for an option that the data set does not have.
        fetch: downloads an edition of it (None: the first, or the only one) into a folder and
            verifies it.
        editions: what `fetch` can be asked for, where that is more than one thing.
    """

    name: str
    summary: str
    shape: str
    layout: Layout
    directory: str
    load: Callable[[DataConfig], Source]
    fetch: Callable[[Path, str | None], None]
    editions: tuple[str, ...] = ()

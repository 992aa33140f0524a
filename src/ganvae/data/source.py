"""What every data source delivers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt


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
    """A data set as it comes: ``test`` is None where it has no official test set."""

    train: LabelledImages
    test: LabelledImages | None
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Dataset:
    """A registered data set.

    ``load`` reads it from a folder and raises `DataError` for a missing or corrupt file;
    ``fetch`` downloads it into a folder and verifies it.
    """

    name: str
    summary: str
    load: Callable[[Path], Source]
    fetch: Callable[[Path], None]

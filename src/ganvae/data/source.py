"""The interface of data sets, and the classes that hold their images and labels."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ganvae.config import DataConfig, Layout


@dataclass(frozen=True)
class LabelledImages:
    """Images with labels.

    ``images`` is uint8, N x C x H x W. ``labels`` is int64, of length N, counted from 0.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The channels, height and width of each image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def __getitem__(self, index: npt.NDArray[np.int64]) -> "LabelledImages":
        return LabelledImages(self.images[index], self.labels[index])


@dataclass(frozen=True)
class Source:
    """A data set that is not yet divided into splits.

    ``train`` is the official training set, or all images if ``test`` is None. ``test`` is the
    official test set. ``groups`` is int64, with one group number per image of ``train``. All images
    of a group, for example of a person, stay in one split. None means no groups. ``remarks`` are
    sentences for the user, for example on files that were left out.
    """

    train: LabelledImages
    test: LabelledImages | None
    classes: tuple[str, ...]
    groups: npt.NDArray[np.int64] | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """A registered data set.

    Attributes:
        summary: a phrase on the number, kind and source of the images.
        shape: channels x height x width of the images, as text.
        layout: the arrangement of the files (`ganvae.config.DataConfig`).
        directory: the folder of the files in a clone, relative to the clone. Elsewhere, the folder
            has the same name (`ganvae.data.places`).
        load: a function that reads the configured images. Raises `DataError` for a missing or
            damaged file, and `ConfigError` for an option that the data set does not have.
        fetch: a function that downloads an edition into a folder, and verifies the files. None
            means the default edition.
        editions: the editions that ``fetch`` can download. Empty for a data set without editions.
    """

    name: str
    summary: str
    shape: str
    layout: Layout
    directory: str
    load: Callable[[DataConfig], Source]
    fetch: Callable[[Path, str | None], None]
    editions: tuple[str, ...] = ()

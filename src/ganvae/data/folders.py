"""Images in class folders: ``<directory>/<class>/*.png``, or with ``train/`` and ``test/`` above.

This is the layout that the per-class stage writes and that many data sets are passed around in.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ganvae.config import DataConfig
from ganvae.core.errors import DataError
from ganvae.data.photos import SUFFIXES, Form, is_image, read_image
from ganvae.data.source import LabelledImages, Source


def load_folders(config: DataConfig) -> Source:
    """Read class folders; ``train/`` and ``test/`` on top, if both are there, are the splits.

    With ``size`` every image is cut to its central square and resized, with ``channels`` made grey
    or colour. In what is not given all must agree with the first one. Classes are the folder names
    in sorted order; hidden files and folders are passed over.

    Raises:
        DataError: nothing to read, a file that is not an image, or one of another size or mode.
    """
    directory, form = Path(config.directory), Form(config.size, config.channels)
    if not directory.is_dir():
        raise DataError(f"{directory}: expected a folder of class folders, found none.")
    if {"train", "test"} <= {folder.name for folder in subfolders(directory)}:
        classes = _classes(directory / "train")
        if _classes(directory / "test") != classes:
            raise DataError(f"{directory}: train and test have different class folders.")
        train = _read_classes(directory / "train", classes, form)
        test = _read_classes(directory / "test", classes, form, train.image_shape)
        return Source(train, test, classes)
    classes = _classes(directory)
    return Source(_read_classes(directory, classes, form), None, classes)


def subfolders(directory: Path) -> list[Path]:
    """The folders in a folder, sorted; hidden ones are passed over."""
    folders = (path for path in directory.iterdir() if path.is_dir())
    return sorted(folder for folder in folders if not folder.name.startswith("."))


def _classes(directory: Path) -> tuple[str, ...]:
    classes = tuple(folder.name for folder in subfolders(directory))
    if not classes:
        raise DataError(f"{directory}: expected one folder a class, found no folder.")
    return classes


def _read_classes(
    directory: Path, classes: tuple[str, ...], form: Form, shape: tuple[int, ...] | None = None
) -> LabelledImages:
    """The images of ``shape``, by default the first one's."""
    images: list[npt.NDArray[np.uint8]] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        paths = sorted(path for path in (directory / name).iterdir() if is_image(path))
        if not paths:
            raise DataError(f"{directory / name}: found no image ({', '.join(SUFFIXES)}).")
        for path in paths:
            image = read_image(path, form)
            shape = shape or image.shape
            if image.shape != shape:
                raise DataError(
                    f"{path}: expected {describe(shape)} as in the first image, found "
                    f"{describe(image.shape)}. Set size and channels, or convert it."
                )
            images.append(image)
            labels.append(label)
    return LabelledImages(np.stack(images), np.array(labels, np.int64))


def describe(shape: Sequence[object]) -> str:
    """A shape in words: ``1 x 28 x 28``."""
    return " x ".join(map(str, shape))

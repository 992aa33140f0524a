"""Images in class folders: ``<directory>/<class>/*.png``, or with ``train/`` and ``test/`` above.

This is the layout that the per-class stage writes and that many data sets are passed around in.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ganvae.data.source import LabelledImages, Source
from ganvae.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".pgm")
GREY_MODES = ("1", "L", "LA")
COLOUR_MODES = ("P", "RGB", "RGBA", "CMYK", "YCbCr")
FAULTS = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""All that Pillow raises for a damaged file."""


def load_folders(directory: Path) -> Source:
    """Read class folders; ``train/`` and ``test/`` on top, if both are there, are the splits.

    All images must have one size and one mode (grey or colour): the first one decides. Classes
    are the folder names in sorted order; hidden files and folders are passed over.

    Raises:
        DataError: nothing to read, a file that is not an image, or one of another size or mode.
    """
    if not directory.is_dir():
        raise DataError(f"{directory}: expected a folder of class folders, found none.")
    if {"train", "test"} <= {folder.name for folder in subfolders(directory)}:
        classes = _classes(directory / "train")
        if _classes(directory / "test") != classes:
            raise DataError(f"{directory}: train and test have different class folders.")
        train = _read_classes(directory / "train", classes)
        return Source(train, _read_classes(directory / "test", classes), classes)
    classes = _classes(directory)
    return Source(_read_classes(directory, classes), None, classes)


def subfolders(directory: Path) -> list[Path]:
    """The folders in a folder, sorted; hidden ones are passed over."""
    folders = (path for path in directory.iterdir() if path.is_dir())
    return sorted(folder for folder in folders if not folder.name.startswith("."))


def _classes(directory: Path) -> tuple[str, ...]:
    classes = tuple(folder.name for folder in subfolders(directory))
    if not classes:
        raise DataError(f"{directory}: expected one folder a class, found no folder.")
    return classes


def _read_classes(directory: Path, classes: tuple[str, ...]) -> LabelledImages:
    images: list[npt.NDArray[np.uint8]] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        paths = sorted(path for path in (directory / name).iterdir() if is_image(path))
        if not paths:
            raise DataError(f"{directory / name}: found no image ({', '.join(SUFFIXES)}).")
        for path in paths:
            image = read_image(path)
            if images and image.shape != images[0].shape:
                raise DataError(
                    f"{path}: expected {describe(images[0].shape)} as in the first image, "
                    f"found {describe(image.shape)}. Resize or convert it."
                )
            images.append(image)
            labels.append(label)
    return LabelledImages(np.stack(images), np.array(labels, np.int64))


def is_image(path: Path) -> bool:
    """Whether a file's name is that of an image, and not hidden."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def read_image(path: Path) -> npt.NDArray[np.uint8]:
    """One image file as C x H x W: a channel if its file is grey, else three; alpha is dropped.

    Raises:
        DataError: not an image, damaged, or of more than 8 bits a channel.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in GREY_MODES + COLOUR_MODES:
                raise DataError(
                    f"{path}: expected 8 bits a channel, found mode {image.mode}. Convert it."
                )
            grey = image.mode in GREY_MODES
            pixels = np.asarray(image.convert("L" if grey else "RGB"))
    except FAULTS as error:
        raise DataError(f"{path}: cannot be decoded as an image ({error}). Delete it.") from None
    return pixels[np.newaxis] if grey else pixels.transpose(2, 0, 1)


def describe(shape: Sequence[object]) -> str:
    """A shape in words: ``1 x 28 x 28``."""
    return " x ".join(map(str, shape))

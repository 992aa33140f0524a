"""Images in class folders: ``<directory>/<class>/*.png`` or ``<directory>/<set>/<class>/*.png``.

``<set>`` is ``train`` or ``test``. The per-class stage of the pipeline writes class folders, and
many public data sets have class folders.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ganvae.config import DataConfig
from ganvae.core.errors import DataError
from ganvae.data.listing import images_in, left_out, subfolders
from ganvae.data.photos import SUFFIXES, Form, check_levels, check_room, read_image
from ganvae.data.source import LabelledImages, Source


def load_folders(config: DataConfig) -> Source:
    """Read class folders. Folders ``train/`` and ``test/``, if both exist, are the official sets.

    With ``size``, every image is cropped to the central square and resized. With ``channels``,
    every image is converted to grey or colour. Without ``size``, all images must have the size of
    the first image. Without ``channels``, all images must have the number of channels of the first
    image. Classes are the folder names in sorted order. Hidden files and folders are ignored.

    Raises:
        DataError: a class has no images, an image file is damaged, or an image differs from the
            first image in size or number of channels. Also raised if ``train/`` and ``test/`` have
            different classes.
    """
    directory, form = Path(config.directory), Form(config.size, config.channels)
    if not directory.is_dir():
        raise DataError(
            f"{directory} is not a folder. Set data.directory to a folder with one folder of "
            "images per class."
        )
    if {"train", "test"} <= {folder.name for folder in subfolders(directory)}:
        classes = _classes(directory / "train")
        if _classes(directory / "test") != classes:
            raise DataError(
                f"{directory}: train and test have different class folders. Give both the same "
                "class folders."
            )
        train = _read_classes(directory / "train", classes, form)
        test = _read_classes(directory / "test", classes, form, train.image_shape)
        files = _files(directory / "train", classes) + _files(directory / "test", classes)
        return Source(train, test, classes, remarks=left_out(directory, files))
    classes = _classes(directory)
    images = _read_classes(directory, classes, form)
    remarks = left_out(directory, _files(directory, classes))
    return Source(images, None, classes, remarks=remarks)


def _files(directory: Path, classes: Sequence[str]) -> list[Path]:
    """The image files of all classes, in the order of the classes."""
    return [path for name in classes for path in images_in(directory / name)]


def _classes(directory: Path) -> tuple[str, ...]:
    classes = tuple(folder.name for folder in subfolders(directory))
    if not classes:
        raise DataError(f"{directory} contains no folders. It must have one folder per class.")
    return classes


def _read_classes(
    directory: Path, classes: tuple[str, ...], form: Form, shape: tuple[int, ...] | None = None
) -> LabelledImages:
    """Read all images. All must have ``shape``, or the first image's shape if ``shape`` is None."""
    check_room(form, sum(len(images_in(directory / name)) for name in classes), str(directory))
    images: list[npt.NDArray[np.uint8]] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        paths = images_in(directory / name)
        if not paths:
            raise DataError(
                f"{directory / name} contains no image ({', '.join(SUFFIXES)}). Add images, or "
                "delete the folder."
            )
        for path in paths:
            image = read_image(path, form)
            shape = shape or image.shape
            if image.shape != shape:
                raise DataError(
                    f"{path} has shape {describe(image.shape)}, but the first image has "
                    f"{describe(shape)}. Set data.size and data.channels (for `ganvae train`: "
                    "--image_size and --channels), or convert the image."
                )
            images.append(image)
            labels.append(label)
    stacked = np.stack(images)
    check_levels(stacked, str(directory))
    return LabelledImages(stacked, np.array(labels, np.int64))


def describe(shape: Sequence[object]) -> str:
    """A shape as text, for example ``1 x 28 x 28``."""
    return " x ".join(map(str, shape))

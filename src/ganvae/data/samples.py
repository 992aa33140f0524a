"""Reading of a model's samples from memory, an array file, a folder of images or an IDX file."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ganvae.core.errors import DataError
from ganvae.core.files import refuse_special
from ganvae.core.images import ImageError, to_uint8
from ganvae.data.arrays import NEEDED, PICKLED, read_array
from ganvae.data.folders import describe
from ganvae.data.idx import START, read_idx
from ganvae.data.listing import images_in, jpeg_remark, left_out, subfolders
from ganvae.data.photos import SUFFIXES, check_levels, read_image

Shape = tuple[int, int, int]
GZIP = b"\x1f\x8b"
ARRAYS = (b"\x93NUMPY", b"PK")  # .npy; .npz, a zip file
PICKLE = b"\x80"
DARKEST = 1.5 / 255
"""Floats whose largest value is below this limit were probably divided by 255 twice."""


@dataclass(frozen=True)
class Samples:
    """Samples of a model, uint8, N x C x H x W, and remarks on the files of the samples."""

    images: Tensor
    remarks: tuple[str, ...] = ()


def name_of(samples: Path) -> str:
    """The name of a file without its suffix, or of a folder; also of the folder ``.``."""
    path = Path(os.path.realpath(samples))  # unlike Path.resolve, accepts a loop of links
    return path.name if path.is_dir() else path.stem


def read_samples(path: Path, shape: Shape) -> Samples:
    """Read the samples of a model from a file or a folder.

    Samples keep the order of the file. Samples from a folder are sorted by path. The first bytes of
    a file decide the format; the file name does not matter. An array file holds uint8, or floats in
    [0, 1] that `to_uint8` quantises. The shape is N x C x H x W or N x H x W x C. Grey images may
    also have the shape N x H x W. A folder holds image files, or one folder of image files per
    class. Pickled objects are refused.

    Args:
        shape: the required channels, height and width of the images.

    Raises:
        DataError: the path is missing, empty or damaged, or the images have another size, number of
            channels or range.
    """
    refuse_special(path)
    try:
        samples = _read_folder(path, shape) if path.is_dir() else _read_file(path, shape)
    except (OSError, ValueError) as error:  # a path with a null character is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path} cannot be read ({reason}). Give {NEEDED}.") from None
    check_levels(samples.images.numpy(), str(path))
    return samples


def take_samples(images: object, shape: Shape, name: str = "images") -> Samples:
    """Take the samples of a model from memory. The same rules as for an array file apply.

    Args:
        images: a NumPy array or a tensor on any device, of shape N x C x H x W, N x H x W x C, or,
            for grey images, N x H x W. The values are uint8, or floats in [0, 1].
        shape: the required channels, height and width of the images.
        name: the name of the images in messages.

    Raises:
        DataError: the images are of another type, or have another size, number of channels or
            range.
    """
    if isinstance(images, Tensor):
        on_cpu = images.detach().cpu()
        images = (on_cpu.float() if on_cpu.is_floating_point() else on_cpu).numpy()
    if not isinstance(images, np.ndarray):
        raise DataError(
            f"{name} is of type {type(images).__name__}. Give a NumPy array, a torch tensor, or a "
            "path."
        )
    samples = Samples(_quantise(name, _arrange(name, images.copy(), shape)))
    check_levels(samples.images.numpy(), name)
    return samples


def _read_file(path: Path, shape: Shape) -> Samples:
    with path.open("rb") as file:
        start = file.read(len(ARRAYS[0]))
    if start.startswith(ARRAYS):
        return Samples(_quantise(str(path), _arrange(str(path), read_array(path), shape)))
    if start.startswith((START, GZIP)):
        return Samples(torch.from_numpy(_arrange(str(path), read_idx(path, 3), shape).copy()))
    if start.startswith(PICKLE):
        raise DataError(f"{path} {PICKLED}")
    fault = "has an unknown format" if start else "is empty"
    raise DataError(f"{path} {fault}. Give {NEEDED}.")


def _read_folder(directory: Path, shape: Shape) -> Samples:
    flat = images_in(directory)
    by_class = [path for folder in subfolders(directory) for path in images_in(folder)]
    if flat and by_class:
        raise DataError(
            f"{directory} has both images ({flat[0].name}) and folders of images "
            f"({by_class[0].parent.name}). Give a folder that has only one of "
            "these two."
        )
    paths = flat + by_class
    if not paths:
        raise DataError(
            f"{directory} and its folders contain no image ({', '.join(SUFFIXES)}). Give a folder "
            "with images."
        )
    images = np.stack([_read_sample(path, shape) for path in paths])
    remarks = left_out(directory, paths) + jpeg_remark(directory, paths)
    return Samples(torch.from_numpy(images), remarks)


def _read_sample(path: Path, shape: Shape) -> npt.NDArray[np.uint8]:
    image = read_image(path)
    if len(image) == 3 and shape[0] == 1 and bool((image == image[:1]).all()):
        image = image[:1]  # a grey image in a colour file
    if image.shape != shape:
        raise DataError(f"{path}: {_mismatch(image.shape, shape)}")
    return image


def _arrange(name: str, array: npt.NDArray[Any], shape: Shape) -> npt.NDArray[Any]:
    """Rearrange an array of images to N x C x H x W. Messages call the images ``name``."""
    channels, height, width = shape
    actual = array.shape
    if channels == 1 and actual[1:] == (height, width):
        array = array[:, np.newaxis]
    elif actual[1:] != shape and actual[1:] == (height, width, channels):
        array = array.transpose(0, 3, 1, 2)
    if array.shape[1:] != shape:
        raise DataError(f"{name}: {_mismatch(actual[1:], shape, 'N')}")
    if not len(array):
        raise DataError(f"{name} contains no image: its array has shape {describe(actual)}.")
    return array


def _mismatch(actual: tuple[int, ...], needed: Shape, *before: str) -> str:
    text = (
        f"the images have shape {describe((*before, *actual))}, but they must have "
        f"{describe((*before, *needed))} (channels, height, width)."
    )
    if needed[0] == 1 and len(actual) == 3 and 3 in (actual[0], actual[-1]):
        return f"{text} They seem to be colour images: convert them to grey."
    return text


def _quantise(name: str, array: npt.NDArray[Any]) -> Tensor:
    """Convert an array to a uint8 tensor. Floats are quantised. Messages call the images ``name``.

    Raises:
        DataError: the array has neither uint8 from 0 to 255 nor floats in [0, 1]. The message
            gives the likely cause.
    """
    if array.dtype == np.uint8:
        return torch.from_numpy(np.ascontiguousarray(array))
    if array.dtype.kind != "f":
        raise DataError(
            f"{name} has type {array.dtype}. Give uint8 from 0 to 255, or floats from 0 to 1."
        )
    with np.errstate(over="ignore"):  # overflow gives infinity, which is refused below
        values = torch.from_numpy(np.ascontiguousarray(array, np.float32))
    if 0 < float(values.max()) < DARKEST:
        raise DataError(
            f"{name}: the brightest value is {float(values.max()):.2g}, so the images are nearly "
            "black. They seem to be divided by 255 twice. Give floats from 0 to 1."
        )
    try:
        return to_uint8(values, name)
    except ImageError as error:
        raise DataError(f"{error} {_cause(array)}") from None


def _cause(array: npt.NDArray[Any]) -> str:
    """Sentences on the likely cause of floats outside [0, 1], with a remedy."""
    finite = np.isfinite(array)
    if not finite.all():
        return f"{array.size - int(finite.sum()):,} values are NaN or infinite."
    low, high = float(array.min()), float(array.max())
    values = f"The values range from {low:.4g} to {high:.4g}."
    if -1 <= low < -0.5 and high <= 1:
        return f"{values} If the model ends in tanh, give (x + 1) / 2."
    if low >= 0 and 2 < high <= 255:
        return f"{values} If their scale is 0 to 255, give uint8, or divide them by 255."
    return f"{values} Undo the scaling, or clip the values if that suits the model."

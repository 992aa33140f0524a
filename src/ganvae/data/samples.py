"""Samples of any model as they come: an array file, a folder of images or an IDX file."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from numpy.lib.npyio import NpzFile
from torch import Tensor

from ganvae.core.errors import DataError
from ganvae.core.images import ImageError, to_uint8
from ganvae.data.folders import describe, subfolders
from ganvae.data.idx import START, read_idx
from ganvae.data.photos import SUFFIXES, is_image, read_image

Shape = tuple[int, int, int]
GZIP = b"\x1f\x8b"
ARRAYS = (b"\x93NUMPY", b"PK")  # .npy; .npz, a zip file
PICKLE = b"\x80"
NEEDED = "an .npz or .npy file, a folder of images, or an IDX file"
PICKLED = (
    "holds pickled Python objects; to open them could run any code, so that is never done. "
    "Save a plain array of uint8 or float32."
)


def read_samples(path: Path, shape: Shape) -> Tensor:
    """Read samples: uint8, N x C x H x W, in the file's order or sorted by path.

    What a file is, its first bytes say, not its name. Arrays are uint8, or floats in [0, 1],
    quantised once by `to_uint8`; N x C x H x W, N x H x W if grey, or N x H x W x C.
    A folder has the image files in it, or one folder a class. Nothing is ever unpickled.

    Args:
        shape: channels, height and width that the images must have.

    Raises:
        DataError: nothing there, damaged, or images of another size, channels or range.
    """
    try:
        if path.is_dir():
            return torch.from_numpy(_read_folder(path, shape))
        with path.open("rb") as file:
            start = file.read(len(ARRAYS[0]))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Give {NEEDED}.") from None
    if start.startswith(ARRAYS):
        return _quantise(path, _arrange(path, _read_array(path), shape))
    if start.startswith((START, GZIP)):
        return torch.from_numpy(_arrange(path, read_idx(path, 3), shape).copy())
    if start.startswith(PICKLE):
        raise DataError(f"{path}: {PICKLED}")
    found = "something else" if start else "an empty file"
    raise DataError(f"{path}: expected {NEEDED}, found {found}.")


def _read_folder(directory: Path, shape: Shape) -> npt.NDArray[np.uint8]:
    flat = _images_in(directory)
    by_class = [path for folder in subfolders(directory) for path in _images_in(folder)]
    if flat and by_class:
        raise DataError(
            f"{directory}: has images ({flat[0].name}) beside folders of images "
            f"({by_class[0].parent.name}): give a folder that has only one of the two."
        )
    if not flat + by_class:
        raise DataError(
            f"{directory}: found no image ({', '.join(SUFFIXES)}) in it or in a folder in it."
        )
    return np.stack([_read_one(path, shape) for path in flat + by_class])


def _images_in(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if is_image(path))


def _read_one(path: Path, shape: Shape) -> npt.NDArray[np.uint8]:
    image = read_image(path)
    if len(image) == 3 and shape[0] == 1 and bool((image == image[:1]).all()):
        image = image[:1]  # a grey image in a colour file
    if image.shape != shape:
        raise DataError(f"{path}: {_mismatch(image.shape, shape)}")
    return image


def _read_array(path: Path) -> npt.NDArray[Any]:
    """The array of a .npy or .npz file, of whatever type and shape."""
    try:
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            if isinstance(content, NpzFile):
                content = content[_name(path, content.files)]
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib, struct, numpy: each has its own
        if "pickle" in str(error):
            raise DataError(f"{path}: {PICKLED}") from None
        reason = str(error) or type(error).__name__
        raise DataError(f"{path}: cut short or damaged ({reason}). Write it again.") from None
    if not isinstance(content, np.ndarray):  # of a zip file that numpy has not written
        raise DataError(f"{path}: expected {NEEDED}, found a zip file of something else.")
    return content


def _name(path: Path, names: list[str]) -> str:
    if "images" in names:
        return "images"
    if any(name.endswith(".pkl") for name in names):  # as torch.save writes them
        raise DataError(f"{path}: {PICKLED}")
    if len(names) != 1:
        found = ", ".join(names) or "none"
        raise DataError(f"{path}: expected an array `images`, or one array alone; found {found}.")
    return names[0]


def _arrange(path: Path, array: npt.NDArray[Any], shape: Shape) -> npt.NDArray[Any]:
    """The same images as N x C x H x W."""
    channels, height, width = shape
    found = array.shape
    if channels == 1 and found[1:] == (height, width):
        array = array[:, np.newaxis]
    elif found[1:] != shape and found[1:] == (height, width, channels):
        array = array.transpose(0, 3, 1, 2)
    if array.shape[1:] != shape:
        raise DataError(f"{path}: {_mismatch(found[1:], shape, 'N')}")
    if not len(array):
        raise DataError(f"{path}: found no image, but an array of {describe(found)}.")
    return array


def _mismatch(found: tuple[int, ...], needed: Shape, *before: str) -> str:
    text = (
        f"expected images of {describe((*before, *needed))} (channels, height, width), "
        f"found {describe((*before, *found))}."
    )
    if needed[0] == 1 and len(found) == 3 and 3 in (found[0], found[-1]):
        return f"{text} These are colour images: convert them to grey yourself."
    return text


def _quantise(path: Path, array: npt.NDArray[Any]) -> Tensor:
    """The same as uint8 in memory of its own.

    Raises:
        DataError: another type, or values that cannot be pixels; says what they may be.
    """
    if array.dtype == np.uint8:
        if array.max() == 1:
            raise DataError(
                f"{path}: of 255 levels this has 0 and 1 only: as uint8 give 0 and 255, or floats."
            )
        return torch.from_numpy(np.ascontiguousarray(array))
    if array.dtype.kind != "f":
        raise DataError(
            f"{path}: expected uint8 from 0 to 255, or floats from 0 to 1, found {array.dtype}."
        )
    with np.errstate(over="ignore"):  # infinite then, and refused
        values = torch.from_numpy(np.ascontiguousarray(array, np.float32))
    try:
        return to_uint8(values, str(path))
    except ImageError as error:
        raise DataError(f"{error} {_cause(array)}") from None


def _cause(array: npt.NDArray[Any]) -> str:
    """What floats outside [0, 1] may be, and what to do about it."""
    finite = np.isfinite(array)
    if not finite.all():
        return f"Values that are NaN or infinite: {array.size - int(finite.sum()):,}."
    low, high = float(array.min()), float(array.max())
    values = f"Values from {low:.4g} to {high:.4g}:"
    if -1 <= low < -0.5 and high <= 1:
        return f"{values} a tanh model's? Give (x + 1) / 2."
    if low >= 0 and 2 < high <= 255:
        return f"{values} 0 to 255 as floats? Give uint8, or x / 255."
    return f"{values} undo what scales them, or clip them if the model means that."

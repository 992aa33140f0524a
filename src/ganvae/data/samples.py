"""Reading of a model's samples from an array file, a folder of images or an IDX file."""

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
    "holds pickled Python objects. Opening these could run any code, so they are refused. Save a "
    "plain array of uint8 or float32."
)


def read_samples(path: Path, shape: Shape) -> Tensor:
    """Read samples as uint8, N x C x H x W, in the order of the file, or sorted by path.

    The first bytes of a file decide the format; the file name does not matter. An array file holds
    uint8, or floats in [0, 1] that `to_uint8` quantises. The shape is N x C x H x W or
    N x H x W x C. Grey images may also have the shape N x H x W. A folder holds image files, or
    one folder of image files per class. Pickled objects are refused.

    Args:
        shape: the required channels, height and width of the images.

    Raises:
        DataError: the path is missing, empty or damaged, or the images have another size, number
            of channels or range.
    """
    try:
        if path.is_dir():
            return torch.from_numpy(_read_folder(path, shape))
        with path.open("rb") as file:
            start = file.read(len(ARRAYS[0]))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). Give {NEEDED}.") from None
    if start.startswith(ARRAYS):
        return _quantise(path, _arrange(path, _read_array(path), shape))
    if start.startswith((START, GZIP)):
        return torch.from_numpy(_arrange(path, read_idx(path, 3), shape).copy())
    if start.startswith(PICKLE):
        raise DataError(f"{path} {PICKLED}")
    fault = "has an unknown format" if start else "is empty"
    raise DataError(f"{path} {fault}. Give {NEEDED}.")


def _read_folder(directory: Path, shape: Shape) -> npt.NDArray[np.uint8]:
    flat = _images_in(directory)
    by_class = [path for folder in subfolders(directory) for path in _images_in(folder)]
    if flat and by_class:
        raise DataError(
            f"{directory} has both images ({flat[0].name}) and folders of images "
            f"({by_class[0].parent.name}). Give a folder with only one of the two."
        )
    if not flat + by_class:
        raise DataError(
            f"{directory} and its folders contain no image ({', '.join(SUFFIXES)}). Give a folder "
            "with images."
        )
    return np.stack([_read_sample(path, shape) for path in flat + by_class])


def _images_in(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if is_image(path))


def _read_sample(path: Path, shape: Shape) -> npt.NDArray[np.uint8]:
    image = read_image(path)
    if len(image) == 3 and shape[0] == 1 and bool((image == image[:1]).all()):
        image = image[:1]  # a grey image in a colour file
    if image.shape != shape:
        raise DataError(f"{path}: {_mismatch(image.shape, shape)}")
    return image


def _read_array(path: Path) -> npt.NDArray[Any]:
    """Read the array of a .npy or .npz file, of any type and shape."""
    try:
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            if isinstance(content, NpzFile):
                content = content[_array_name(path, content.files)]
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib, struct and numpy each raise their own
        if "pickle" in str(error):
            raise DataError(f"{path} {PICKLED}") from None
        reason = str(error) or type(error).__name__
        raise DataError(f"{path} is truncated or damaged ({reason}). Write it again.") from None
    if not isinstance(content, np.ndarray):  # a member of a zip file that numpy has not written
        raise DataError(f"{path} is a zip file without arrays. Give {NEEDED}.")
    return content


def _array_name(path: Path, names: list[str]) -> str:
    if "images" in names:
        return "images"
    if any(name.endswith(".pkl") for name in names):  # written by torch.save
        raise DataError(f"{path} {PICKLED}")
    if len(names) != 1:
        present = f"the arrays {', '.join(names)}" if names else "no array"
        raise DataError(
            f"{path} has {present}. Give a file with an array `images`, or with a single array."
        )
    return names[0]


def _arrange(path: Path, array: npt.NDArray[Any], shape: Shape) -> npt.NDArray[Any]:
    """Rearrange an array of images to N x C x H x W."""
    channels, height, width = shape
    actual = array.shape
    if channels == 1 and actual[1:] == (height, width):
        array = array[:, np.newaxis]
    elif actual[1:] != shape and actual[1:] == (height, width, channels):
        array = array.transpose(0, 3, 1, 2)
    if array.shape[1:] != shape:
        raise DataError(f"{path}: {_mismatch(actual[1:], shape, 'N')}")
    if not len(array):
        raise DataError(f"{path} contains no image: its array has shape {describe(actual)}.")
    return array


def _mismatch(actual: tuple[int, ...], needed: Shape, *before: str) -> str:
    text = (
        f"the images have shape {describe((*before, *actual))}, but they must have "
        f"{describe((*before, *needed))} (channels, height, width)."
    )
    if needed[0] == 1 and len(actual) == 3 and 3 in (actual[0], actual[-1]):
        return f"{text} They seem to be colour images: convert them to grey."
    return text


def _quantise(path: Path, array: npt.NDArray[Any]) -> Tensor:
    """Convert an array to a uint8 tensor. Floats are quantised.

    Raises:
        DataError: the array has neither uint8 from 0 to 255 nor floats in [0, 1]. The message
            gives the likely cause.
    """
    if array.dtype == np.uint8:
        if array.max() == 1:
            raise DataError(
                f"{path} is uint8, but its largest value is 1 of 255. Give 0 and 255, or floats "
                "from 0 to 1."
            )
        return torch.from_numpy(np.ascontiguousarray(array))
    if array.dtype.kind != "f":
        raise DataError(
            f"{path} has type {array.dtype}. Give uint8 from 0 to 255, or floats from 0 to 1."
        )
    with np.errstate(over="ignore"):  # overflow gives infinity, which is refused below
        values = torch.from_numpy(np.ascontiguousarray(array, np.float32))
    try:
        return to_uint8(values, str(path))
    except ImageError as error:
        raise DataError(f"{error} {_cause(array)}") from None


def _cause(array: npt.NDArray[Any]) -> str:
    """A sentence on the likely cause of floats outside [0, 1], and a remedy."""
    finite = np.isfinite(array)
    if not finite.all():
        return f"{array.size - int(finite.sum()):,} values are NaN or infinite."
    low, high = float(array.min()), float(array.max())
    values = f"The values range from {low:.4g} to {high:.4g}."
    if -1 <= low < -0.5 and high <= 1:
        return f"{values} If the model ends in tanh, give (x + 1) / 2."
    if low >= 0 and 2 < high <= 255:
        return f"{values} If they are 0 to 255 as floats, give uint8, or x / 255."
    return f"{values} Undo their scaling, or clip them if that suits the model."

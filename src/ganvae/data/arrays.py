"""Reading of one array from a .npy or .npz file. The size is checked before unpacking."""

import math
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

import numpy.typing as npt
from numpy.lib import format as npy

from ganvae.core.errors import DataError, UserError
from ganvae.core.limits import check_unpacked

NEEDED = "an .npz or .npy file, a folder of images, or an IDX file"
PICKLED = (
    "holds pickled Python objects. Loading pickled objects can run any code, so they are refused. "
    "Save a plain array of uint8 or float32."
)
ZIP = b"PK"
SUFFIX = ".npy"
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
"""A mapping from the version of the .npy format to the function that reads the header.

numpy writes other versions only for arrays with named fields.
"""


def read_array(path: Path) -> npt.NDArray[Any]:
    """Read the array of a .npy or .npz file. All shapes are allowed, and all types except objects.

    Raises:
        DataError: the file is damaged, holds Python objects, or unpacks to more than the limit.
            Also raised if the file has several arrays and none of them is called ``images``.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(ZIP)) == ZIP:
                with ZipFile(path) as archive:
                    member = _member(path, archive.namelist())
                    with archive.open(member) as stream:
                        return _read(path, stream, archive.getinfo(member).file_size)
            file.seek(0)
            return _read(path, file, path.stat().st_size)
    except UserError:
        raise
    except Exception as error:  # zipfile, zlib, struct and numpy each raise their own
        reason = str(error) or type(error).__name__
        raise DataError(f"{path} is truncated or damaged ({reason}). Write it again.") from None


def _read(path: Path, stream: IO[bytes], size: int) -> npt.NDArray[Any]:
    """Read the array of a stream in the .npy format.

    Args:
        path: the file, for messages.
        size: the number of bytes in the stream.
    """
    version = npy.read_magic(stream)
    if version not in HEADERS:
        number = ".".join(map(str, version))
        raise DataError(
            f"{path} has version {number} of the .npy format, which only arrays with named fields "
            "need. Write a plain array with numpy.save."
        )
    shape, _, dtype = HEADERS[version](stream)
    if any(length < 0 for length in shape):
        raise DataError(f"{path} is damaged: its array has the shape {shape}. Write it again.")
    if dtype.hasobject:
        raise DataError(f"{path} {PICKLED}")
    needed, present = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if present < needed:
        raise DataError(
            f"{path} is truncated: its array needs {needed:,} bytes, but {present:,} follow the "
            "header. Write it again."
        )
    if present > needed:
        raise DataError(
            f"{path} has {present - needed:,} bytes after its first array. These bytes may be "
            "further arrays. Save all images in one array."
        )
    check_unpacked(needed, str(path))
    stream.seek(0)
    array = npy.read_array(stream, allow_pickle=False)
    stream.read(1)  # at its end, zipfile compares the checksum of a member
    return array


def _member(path: Path, members: list[str]) -> str:
    """The member of a zip file that holds the images: `images`, or the only array."""
    names = [name.removesuffix(SUFFIX) for name in members if name.endswith(SUFFIX)]
    if any(name.endswith(".pkl") for name in members):  # written by torch.save
        raise DataError(f"{path} {PICKLED}")
    if len(set(names)) < len(names):
        raise DataError(f"{path} has two arrays of the same name. Write it again.")
    if "images" in names:
        return f"images{SUFFIX}"
    if not names:
        raise DataError(f"{path} is a zip file without arrays. Give {NEEDED}.")
    if len(names) > 1:
        raise DataError(
            f"{path} has the arrays {', '.join(names)}. Give a file with an array `images`, or "
            "with a single array."
        )
    return names[0] + SUFFIX

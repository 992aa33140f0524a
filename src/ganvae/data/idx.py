"""The IDX format of MNIST-like data sets (http://yann.lecun.com/exdb/mnist/)."""

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from ganvae.config import DataConfig
from ganvae.core.errors import ConfigError, DataError
from ganvae.core.files import refuse_special, sha256
from ganvae.core.limits import check_unpacked
from ganvae.data.source import LabelledImages, Source

UNSIGNED_BYTE = 0x08
START = bytes([0, 0, UNSIGNED_BYTE])
"""The first bytes of an uncompressed IDX file of unsigned bytes."""


@dataclass(frozen=True)
class IdxFile:
    """A published file: the file name, and the SHA-256 of the compressed file."""

    name: str
    sha256: str


@dataclass(frozen=True)
class IdxFiles:
    """The four published files of an MNIST-like data set, and the sources of the files.

    Attributes:
        classes: the names of the classes, in the order of their labels. Each name is a valid folder
            name.
        shape: channels x height x width, as text.
        mirrors: the base URLs of the mirrors.
        installed: the folder of the files in Debian's package ``dataset-<dataset>``, or None.
    """

    dataset: str
    classes: tuple[str, ...]
    shape: str
    train_images: IdxFile
    train_labels: IdxFile
    test_images: IdxFile
    test_labels: IdxFile
    mirrors: tuple[str, ...]
    installed: Path | None = None

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter((self.train_images, self.train_labels, self.test_images, self.test_labels))


def read_idx(path: Path, dimensions: int) -> npt.NDArray[np.uint8]:
    """Read an IDX file as a uint8 array with ``dimensions`` axes. The file may be gzipped.

    Raises:
        DataError: the file is unreadable, is neither an IDX file nor a gzip file, or has the wrong
            magic number or length. Also raised if the file unpacks to more than the limit.
    """
    refuse_special(path)
    try:
        with path.open("rb") as file:
            is_plain = file.read(len(START)) == START
        with path.open("rb") if is_plain else gzip.open(path) as stream:
            return _read(path, stream, dimensions)
    except OSError as error:  # includes gzip.BadGzipFile
        raise DataError(f"{path}: not readable as gzip ({error.strerror or error}).") from None
    except (EOFError, zlib.error):
        raise DataError(f"{path}: the gzip stream is truncated or damaged.") from None


def _read(path: Path, stream: IO[bytes] | gzip.GzipFile, dimensions: int) -> npt.NDArray[np.uint8]:
    """Read the array of an IDX stream. At most one byte beyond the announced size is read.

    Args:
        path: the file, for messages.
    """
    expected_magic = (UNSIGNED_BYTE << 8) | dimensions
    length = 4 * (1 + dimensions)
    header = stream.read(length)
    magic = int.from_bytes(header[:4], "big")
    if magic != expected_magic:
        raise DataError(
            f"{path}: not an IDX file of unsigned bytes with {dimensions} axes: its magic number "
            f"is {magic} ({expected_magic} expected)."
        )
    if len(header) < length:
        raise DataError(
            f"{path}: the file ends in its header, after {len(header)} of {length} bytes."
        )
    shape = struct.unpack(f">{dimensions}I", header[4:])
    size = math.prod(shape)
    check_unpacked(size, str(path))
    content = stream.read(size)
    more = "" if len(content) < size or not stream.read(1) else " or more"
    if len(content) < size or more:
        raise DataError(
            f"{path}: the header announces {' x '.join(map(str, shape))} bytes, but "
            f"{len(content) + bool(more)}{more} follow."
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def load_published(files: IdxFiles, config: DataConfig) -> Source:
    """Verify and read the four files in ``config.directory``. The images are not converted.

    Raises:
        ConfigError: the configuration sets a size or a number of channels.
        DataError: a file is missing or differs from the published file.
    """
    refuse_conversion(config, files.shape)
    return load_idx(files, Path(config.directory))


def refuse_conversion(config: DataConfig, shape: str) -> None:
    """Raise an error if the configuration sets a size or a number of channels.

    Some data sets are used only with the published size and channels.

    Args:
        shape: the published shape of the images, as text.

    Raises:
        ConfigError: ``data.size`` or ``data.channels`` is set.
    """
    for key in ("size", "channels"):
        value = getattr(config, key)
        if value is not None:
            raise ConfigError(
                f"data.{key} is {value}, but the images of {config.dataset} always keep their "
                f"published shape, {shape}. Leave data.{key} out: only images in the layouts "
                "people and folders are converted."
            )


def load_idx(files: IdxFiles, directory: Path) -> Source:
    """Read the four files in ``directory``, after a check of each file's SHA-256.

    Raises:
        DataError: a file is missing or differs from the published file.
    """
    for file in files:
        _verify(files.dataset, directory / file.name, file.sha256)
    train = _pair(directory / files.train_images.name, directory / files.train_labels.name)
    test = _pair(directory / files.test_images.name, directory / files.test_labels.name)
    return Source(train, test, files.classes)


def _pair(images_path: Path, labels_path: Path) -> LabelledImages:
    images = read_idx(images_path, 3)[:, np.newaxis]  # one channel
    labels = read_idx(labels_path, 1).astype(np.int64)
    if len(images) != len(labels):
        raise DataError(
            f"{images_path} has {len(images)} images, but {labels_path} has {len(labels)} labels."
        )
    return LabelledImages(images, labels)


def _verify(dataset: str, path: Path, expected: str) -> None:
    remedy = f"Get it with `ganvae fetch {dataset} --directory {path.parent}`."
    if not path.is_file():
        raise DataError(f"{path} is missing (SHA-256 {expected}). {remedy}")
    actual = sha256(path)
    if actual != expected:
        dimensions = 3 if "images" in path.name else 1
        raise DataError(
            f"{path} has SHA-256 {actual}, but the published file has {expected}"
            f"{_diagnosis(path, dimensions)}. Delete it. {remedy}"
        )


def _diagnosis(path: Path, dimensions: int) -> str:
    try:
        read_idx(path, dimensions)
    except DataError as error:
        return f" ({str(error).removeprefix(f'{path}: ').rstrip('.')})"
    return " (a valid IDX file, but not the published one)"

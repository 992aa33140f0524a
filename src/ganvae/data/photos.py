"""Reading of an image file as an array, with optional conversion, cropping and resizing.

All readers of image files use this module: `ganvae score`, `ganvae train` and the data sets.
"""

import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from ganvae.core.errors import DataError
from ganvae.core.files import refuse_special
from ganvae.core.limits import check_memory, check_unpacked

SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".pgm", ".ppm", ".pbm", ".bmp", ".webp", ".tif", ".tiff",
)  # fmt: skip
FORMATS = ("PNG", "JPEG", "PPM", "BMP", "WEBP", "TIFF")
"""Pillow's names of the allowed formats. For some other formats, Pillow starts other programs."""
GREY_MODES = ("1", "L", "LA", "La")
COLOUR_MODES = ("P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr")
FAULTS = (
    OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, AttributeError,
    OverflowError, ZeroDivisionError, AssertionError, NotImplementedError, RuntimeError,
    struct.error, zlib.error,
)  # fmt: skip
"""All exceptions that Pillow raises for a damaged file."""
JPEG = b"\xff\xd8\xff"
"""The first bytes of a JPEG file."""

WIDE = re.compile(r"(L|LA|RGB|RGBA|RGBX|CMYK|I);16")
"""Pillow's raw modes with 16 bits per channel. Pillow would keep only the upper 8 bits."""


@dataclass(frozen=True)
class Form:
    """The size and channels that an image file is converted to.

    Attributes:
        size: side of the resized central square in pixels. None keeps the size of the file.
        channels: 1 (grey) or 3 (colour). None keeps the channels of the file.
        share: side of the central square, as a share of the image's shorter side, in (0, 1].
            Ignored if ``size`` is None.
    """

    size: int | None = None
    channels: int | None = None
    share: float = 1.0


AS_IT_IS = Form()


def check_room(form: Form, n: int, name: str) -> None:
    """Check that ``n`` resized images fit into memory. Without ``size``, check nothing.

    Args:
        name: the folder of the images, for the error message.

    Raises:
        ConfigError: this machine has too little free memory.
    """
    if form.size:
        size = 2 * n * form.size**2 * (form.channels or 3)  # twice, because they are stacked
        what = f"{name}: resizing {n:,} images to {form.size:,} pixels"
        check_memory(size, what, "give a smaller size")


def is_image(path: Path) -> bool:
    """Return whether a file has an image suffix and is not hidden, without reading the file."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def is_jpeg(path: Path) -> bool:
    """Return whether a file begins like a JPEG file, whatever its name is."""
    with path.open("rb") as file:
        return file.read(len(JPEG)) == JPEG


def read_image(path: Path, form: Form = AS_IT_IS) -> npt.NDArray[np.uint8]:
    """Read an image file as uint8, C x H x W. For conversions and errors, see `decode`."""
    refuse_special(path)
    return decode(path, str(path), form)


def decode(file: Path | BytesIO, name: str, form: Form) -> npt.NDArray[np.uint8]:
    """Decode an image as uint8, C x H x W. The EXIF orientation of the image is applied.

    If ``form.channels`` is None, C is 1 for a grey file and 3 for any other file.

    Args:
        name: the name of the image in error messages.

    Raises:
        DataError: the file is not an image, is damaged, has more than 8 bits per channel,
            transparent pixels or several frames, or unpacks to more than the limit.
    """
    try:
        with _own_rules(), Image.open(file, formats=FORMATS) as image:
            _check(image, name)
            pixels = np.asarray(_converted(image, form))
    except UnidentifiedImageError:  # its message has only the address of the file object
        fault = f"the file does not begin like a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file"
        raise _undecodable(name, fault) from None
    except FAULTS as error:
        raise _undecodable(name, str(error) or type(error).__name__) from None
    return pixels[np.newaxis] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def check_levels(images: npt.NDArray[np.uint8], name: str) -> None:
    """Raise an error for uint8 images whose brightest value is 1: their scale must be wrong.

    Args:
        name: the name of the file or folder in the error message.
    """
    if images.size and images.max() == 1:
        raise DataError(
            f"{name}: the brightest value is 1 of 255, so the images are nearly black and their "
            "scale is wrong. Give values from 0 to 255, or floats from 0 to 1 in an array file."
        )


@contextmanager
def _own_rules() -> Iterator[None]:
    """Switch off Pillow's limit on the number of pixels, and Pillow's warnings on metadata.

    `_check` has a limit that users can set. The metadata do not affect the pixels.
    """
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _check(image: Image.Image, name: str) -> None:
    """Raise an error if `_converted` would lose information of the image.

    Raises:
        DataError: the image is too large, has more than 8 bits per channel, lacks its palette, or
            has several frames or transparent pixels.
    """
    check_unpacked(image.width * image.height * len(image.getbands()), name)
    if image.mode not in GREY_MODES + COLOUR_MODES or _has_wide_channels(image):
        raise DataError(
            f"{name} has more than 8 bits per channel (mode {image.mode}), or a kind of "
            "colours that is not supported. Convert it to 8-bit grey or RGB."
        )
    if image.mode in ("P", "PA") and image.palette is None:  # Pillow would return black
        raise DataError(f"{name} needs a palette of colours, but has none. Replace it.")
    if image.format == "PPM" and _has_more_after(image):
        raise DataError(f"{name} has more bytes after its first image. Save one image per file.")
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # an MPO file holds a photo and its previews
        raise DataError(f"{name} has {frames} frames. Save one frame per file.")
    if image.has_transparency_data and _alpha(image).getextrema() != (255, 255):
        raise DataError(
            f"{name} has transparent pixels, so its colours depend on a background. Put it onto a "
            "background, and save it without transparency."
        )


def _has_more_after(image: Image.Image) -> bool:
    """Return whether a raw PGM or PPM file has bytes after its pixels, such as a second image."""
    ((decoder, _, offset, _),) = getattr(image, "tile", [])[:1] or [("", None, 0, None)]
    stream = getattr(image, "fp", None)
    if decoder != "raw" or image.mode == "1" or stream is None:
        return False
    position = stream.tell()
    stream.seek(offset + image.width * image.height * len(image.getbands()))
    more = bool(stream.read().strip())
    stream.seek(position)
    return more


def _has_wide_channels(image: Image.Image) -> bool:
    for tile in getattr(image, "tile", []):
        arguments = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        if WIDE.match(str(arguments[0])):
            return True
        if tile[0].startswith("ppm") and arguments[1] > 255:  # the brightest value
            return True
    return False


def _alpha(image: Image.Image) -> Image.Image:
    if image.mode == "La":
        return image.getchannel("a")
    return image.convert("RGBA").getchannel("A")


def _converted(image: Image.Image, form: Form) -> Image.Image:
    image = ImageOps.exif_transpose(image)
    if image.mode == "La":
        image = image.convert("LA")
    image = image.convert("L" if image.mode in GREY_MODES else "RGB")
    if form.channels is not None:
        image = image.convert("L" if form.channels == 1 else "RGB")
    if form.size is None:
        return image
    side = max(1, round(form.share * min(image.size)))
    left, top = ((length - side) // 2 for length in image.size)
    square = image.crop((left, top, left + side, top + side))
    return square.resize((form.size, form.size), Image.Resampling.LANCZOS)


def _undecodable(name: str, fault: str) -> DataError:
    return DataError(f"{name} cannot be decoded as an image ({fault}). Delete or replace it.")

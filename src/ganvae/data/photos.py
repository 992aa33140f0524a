"""Reading of an image file as an array, with optional conversion, cropping and resizing."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from ganvae.core.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".pgm")
FORMATS = ("PNG", "JPEG", "PPM")
"""Pillow's names of the allowed formats. For some other formats, Pillow calls other programs."""
GREY_MODES = ("1", "L", "LA")
COLOUR_MODES = ("P", "RGB", "RGBA", "CMYK", "YCbCr")
FAULTS = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""All exceptions that Pillow raises for a damaged file."""


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


def is_image(path: Path) -> bool:
    """Return whether a file has an image suffix and is not hidden, without reading the file."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def read_image(path: Path, form: Form = AS_IT_IS) -> npt.NDArray[np.uint8]:
    """Read an image file as uint8, C x H x W. `decode` has the details."""
    return decode(path, str(path), form)


def decode(file: Path | BytesIO, name: str, form: Form) -> npt.NDArray[np.uint8]:
    """Decode an image as uint8, C x H x W, without transparency.

    If ``form.channels`` is None, C is 1 for a grey file and 3 for any other file.

    Args:
        name: the name of the image in error messages.

    Raises:
        DataError: the file is not an image, is damaged, or has more than 8 bits per channel.
    """
    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.mode not in GREY_MODES + COLOUR_MODES:
                raise DataError(
                    f"{name} has mode {image.mode}, but images must have 8 bits per channel. "
                    "Convert it."
                )
            pixels = np.asarray(_converted(image, form))
    except UnidentifiedImageError:  # its message has only the address of the file object
        fault = f"the file does not begin like a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file"
        raise _undecodable(name, fault) from None
    except FAULTS as error:
        raise _undecodable(name, str(error)) from None
    return pixels[np.newaxis] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _converted(image: Image.Image, form: Form) -> Image.Image:
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

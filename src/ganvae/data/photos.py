"""One image file as an array: grey or colour, and if asked cut to a square and resized."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from ganvae.core.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".pgm")
FORMATS = ("PNG", "JPEG", "PPM")
"""Pillow's names of them; it knows others, some of which it hands to outside programs."""
GREY_MODES = ("1", "L", "LA")
COLOUR_MODES = ("P", "RGB", "RGBA", "CMYK", "YCbCr")
FAULTS = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""All that Pillow raises for a damaged file."""


@dataclass(frozen=True)
class Form:
    """What an image is made into; null leaves that as it is in the file.

    Attributes:
        size: pixels a side of the square that it is cut to and resized to.
        channels: 1 (grey) or 3 (colour).
        share: the central square's side as a share of the image's shorter one; only with ``size``.
    """

    size: int | None = None
    channels: int | None = None
    share: float = 1.0


AS_IT_IS = Form()


def is_image(path: Path) -> bool:
    """Whether a file's name is that of an image, and not hidden."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def read_image(path: Path, form: Form = AS_IT_IS) -> npt.NDArray[np.uint8]:
    """`decode` of an image file."""
    return decode(path, str(path), form)


def decode(file: Path | BytesIO, name: str, form: Form) -> npt.NDArray[np.uint8]:
    """One image as C x H x W: by itself a channel if its file is grey, else three; no alpha.

    Args:
        name: what errors call it.

    Raises:
        DataError: not an image, damaged, or of more than 8 bits a channel.
    """
    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.mode not in GREY_MODES + COLOUR_MODES:
                raise DataError(
                    f"{name}: expected 8 bits a channel, found mode {image.mode}. Convert it."
                )
            pixels = np.asarray(_formed(image, form))
    except UnidentifiedImageError:  # its message is the file object's address
        fault = f"it does not begin as {', '.join(FORMATS)} files do"
        raise _undecodable(name, fault) from None
    except FAULTS as error:
        raise _undecodable(name, str(error)) from None
    return pixels[np.newaxis] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _formed(image: Image.Image, form: Form) -> Image.Image:
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
    return DataError(f"{name}: cannot be decoded as an image ({fault}). Delete it, or replace it.")

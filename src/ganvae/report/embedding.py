"""Embed pictures in the page as data URIs, so that the page needs no separate picture files."""

import base64
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ganvae.core.errors import DataError
from ganvae.pictures.samples import read_sample_rows
from ganvae.pictures.small import encode

SMALL = (".webp", ".avif")


@dataclass(frozen=True)
class Embedded:
    """A picture in the page.

    Attributes:
        uri: the picture as a data URI.
        width, height: the size in pixels.
        still: a data URI of a film's last frame, for print and for readers who prefer reduced
            motion. None if the picture is not a film.
    """

    uri: str
    width: int
    height: int
    still: str | None = None

    @property
    def broad(self) -> bool:
        """Whether the picture needs the full width of the page."""
        return self.width >= 2 * self.height and not self.still


def embed(path: Path) -> Embedded:
    """Read a picture file and embed it.

    WebP and AVIF files are embedded unchanged. Other formats are compressed as WebP first.

    Raises:
        DataError: the file is not a picture.
    """
    try:
        with Image.open(path) as image:
            if path.suffix not in SMALL:
                return Embedded(_uri(encode(image)), *image.size)
            frames = getattr(image, "n_frames", 1)
            image.seek(frames - 1)
            still = _uri(encode(image)) if frames > 1 else None
            uri = _uri(path.read_bytes(), path.suffix)
            return Embedded(uri, *image.size, still=still)
    except OSError as error:
        raise DataError(
            f"{path} is not a picture ({error}). Run `dvc repro` to draw this picture again."
        ) from None


def embed_sample_rows(path: Path, rows: int) -> Embedded:
    """Embed the top ``rows`` rows of a picture file that shows a grid of samples."""
    image = Image.fromarray(read_sample_rows(path, rows))
    return Embedded(_uri(encode(image)), *image.size)


def _uri(content: bytes, suffix: str = ".webp") -> str:
    kind = suffix.removeprefix(".")
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"

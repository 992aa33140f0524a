"""Pictures as data URIs: the page asks for no other file."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ganvae.errors import DataError
from ganvae.report.pictures.samples import read_sample_rows

GREYS = 16
COLOURS = 256
"""Few shades, as WebP without loss, take half the bytes of the files; nobody sees it in a page.
(Colours by octree: a median cut merges those of small areas, as the keys of a legend.)"""


@dataclass(frozen=True)
class Embedded:
    """A picture in the page. ``still``: a film's last frame, for paper and for calm."""

    uri: str
    width: int
    height: int
    still: str | None = None

    @property
    def broad(self) -> bool:
        """Whether it takes the whole width to be seen."""
        return self.width >= 2 * self.height


def embed(path: Path) -> Embedded:
    """A PNG in few shades, or a GIF as it is.

    Raises:
        DataError: it is no picture.
    """
    try:
        with Image.open(path) as image:
            if path.suffix != ".gif":
                return Embedded(_still(image), *image.size)
            film = _uri("gif", path.read_bytes())
            image.seek(getattr(image, "n_frames", 1) - 1)  # what it came to in the end
            return Embedded(film, *image.size, still=_still(image))
    except OSError as error:
        raise DataError(f"{path}: not a picture ({error}). Draw it again: `dvc repro`.") from None


def embed_sample_rows(path: Path, rows: int) -> Embedded:
    """The top rows of a picture of samples."""
    image = Image.fromarray(read_sample_rows(path, rows))
    return Embedded(_still(image), *image.size)


def _still(image: Image.Image) -> str:
    colours = image.convert("RGB")
    red, *others = (band.tobytes() for band in colours.split())
    if all(band == red for band in others):
        few = image.convert("L").quantize(GREYS, dither=Image.Dither.NONE)
    else:
        octree = Image.Quantize.FASTOCTREE
        few = colours.quantize(COLOURS, method=octree, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    few.convert("RGB").save(buffer, format="WEBP", lossless=True)
    return _uri("webp", buffer.getvalue())


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"

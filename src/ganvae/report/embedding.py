"""Pictures as data URIs: the page asks for no other file."""

import base64
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ganvae.core.errors import DataError
from ganvae.pictures.samples import read_sample_rows
from ganvae.pictures.small import encode


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
        return self.width >= 2 * self.height and not self.still


def embed(path: Path) -> Embedded:
    """A picture: a WebP as it is, another in few bytes.

    Raises:
        DataError: it is no picture.
    """
    try:
        with Image.open(path) as image:
            if path.suffix != ".webp":
                return Embedded(_uri(encode(image)), *image.size)
            frames = getattr(image, "n_frames", 1)
            image.seek(frames - 1)  # what it came to in the end
            still = _uri(encode(image)) if frames > 1 else None
            return Embedded(_uri(path.read_bytes()), *image.size, still=still)
    except OSError as error:
        raise DataError(f"{path}: not a picture ({error}). Draw it again: `dvc repro`.") from None


def embed_sample_rows(path: Path, rows: int) -> Embedded:
    """The top rows of a picture of samples."""
    image = Image.fromarray(read_sample_rows(path, rows))
    return Embedded(_uri(encode(image)), *image.size)


def _uri(content: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(content).decode()}"

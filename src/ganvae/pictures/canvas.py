"""Tools for all pictures: matplotlib figures, grids of images, and captions."""

import io
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganvae.core.files import replacing
from ganvae.core.images import grid

CAPTION_HEIGHT = 24  # pixels
GREYS = 32
STYLE: Any = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}


@contextmanager
def figure(path: Path, width: float, height: float) -> Iterator[Figure]:
    """Yield a figure of ``width`` x ``height`` inches, and save it as PNG after the block."""
    with mpl.rc_context(STYLE):
        canvas = Figure(figsize=(width, height), layout="constrained")
        yield canvas
        _fit_title(canvas)
        buffer = io.BytesIO()
        canvas.savefig(buffer, format="png", dpi=120)
        with Image.open(buffer) as image:
            write_image(path, image.convert("RGB"))


def _fit_title(canvas: Figure) -> None:
    """Break the title into lines if the title is wider than the figure."""
    if not canvas.get_suptitle():
        return
    title = canvas.suptitle(canvas.get_suptitle())
    width = title.get_window_extent(FigureCanvasAgg(canvas).get_renderer()).width
    if width > canvas.bbox.width:
        letters = int(len(title.get_text()) * canvas.bbox.width / width)
        title.set_text(textwrap.fill(title.get_text(), letters))


def write_image(path: Path, image: Image.Image) -> None:
    """Write a PNG. A picture without colours is reduced to 32 greys, to keep files in git small."""
    if _is_grey(image):
        image = image.convert("L").quantize(GREYS, dither=Image.Dither.NONE)
    with replacing(path) as temporary:
        image.save(temporary, format="PNG", optimize=True)


def show_images(ax: Axes, images: Tensor, columns: int) -> None:
    """Show uint8 images, N x C x H x W, in a grid with ``columns`` columns."""
    show_pixels(ax, grid(images, columns))


def show_pixels(ax: Axes, pixels: np.ndarray) -> None:
    """Show uint8 pixels, height x width (x 3), without scaling and without axes."""
    ax.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)


def captioned(image: Image.Image, caption: str) -> Image.Image:
    """Return a copy of ``image`` with the line of text ``caption`` above the image."""
    mode, white, black = ("L", 255, 0) if image.mode == "L" else ("RGB", (255, 255, 255), (0, 0, 0))
    canvas = Image.new(mode, (image.width, image.height + CAPTION_HEIGHT), white)
    canvas.paste(image, (0, CAPTION_HEIGHT))
    ImageDraw.Draw(canvas).text((6, 4), caption, fill=black, font=ImageFont.load_default(14))
    return canvas


def read_pixels(path: Path) -> np.ndarray:
    """Read a picture as uint8: height x width, or height x width x 3 if it has colours."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L" if _is_grey(image) else "RGB"))


def _is_grey(image: Image.Image) -> bool:
    colours = np.asarray(image.convert("RGB"))
    return bool((colours == colours[:, :, :1]).all())

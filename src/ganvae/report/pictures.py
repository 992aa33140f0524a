"""Pictures of one run: its samples and its reconstructions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ganvae.files import replacing
from ganvae.images import grid, write_png

SAMPLE_ROWS = SAMPLE_COLUMNS = 10


@contextmanager
def figure(path: Path, width: float, height: float) -> Iterator[Figure]:
    """A figure, in inches, that is saved as PNG at the end of the block."""
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        canvas = Figure(figsize=(width, height), layout="constrained")
        yield canvas
        with replacing(path) as temporary:
            canvas.savefig(temporary, format="png", dpi=150)


def draw_samples(path: Path, samples: Tensor | None, title: str) -> None:
    """The first 100 generated images, unselected (uint8, N x C x H x W), or word of none."""
    if samples is not None:
        first = samples[: SAMPLE_ROWS * SAMPLE_COLUMNS]
        write_png(path, grid(first, SAMPLE_COLUMNS), scale=2)
        return
    with figure(path, 6, 1) as canvas:
        canvas.text(0.5, 0.5, f"{title}: diverged, no samples", ha="center", va="center")


def read_sample_rows(path: Path, rows: int) -> np.ndarray:
    """The top ``rows`` of the ten rows of a picture made by `draw_samples`."""
    with Image.open(path) as image:
        return np.asarray(image)[: image.height * rows // SAMPLE_ROWS]


def draw_reconstructions(path: Path, originals: Tensor, reconstructions: Tensor) -> None:
    """Originals above their reconstructions, both uint8, N x C x H x W, in two labelled rows."""
    with figure(path, 0.45 * len(originals) + 1.2, 1.3) as canvas:
        upper, lower = canvas.subplots(2, 1)
        _show_strip(upper, originals, "test image")
        _show_strip(lower, reconstructions, "reconstruction")


def _show_strip(ax: Axes, images: Tensor, label: str) -> None:
    ax.imshow(grid(images, len(images)), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.set_ylabel(label, rotation=0, ha="right", va="center")

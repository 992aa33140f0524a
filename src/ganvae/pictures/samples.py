"""The picture of a training run's first hundred samples, without any selection."""

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from ganvae.core.images import grid
from ganvae.pictures.canvas import (
    CAPTION_HEIGHT,
    captioned,
    figure,
    read_pixels,
    write_image,
)

ROWS = COLUMNS = 10
SHOWN = ROWS * COLUMNS
SCALE = 2


def draw_samples(path: Path, samples: Tensor | None, title: str) -> None:
    """Draw the first 100 of ``samples``, which are uint8, N x C x H x W.

    If ``samples`` is None, draw the text "diverged, no samples" instead.
    """
    if samples is None:
        with figure(path, 6, 1) as canvas:
            canvas.text(0.5, 0.5, f"{title}: diverged, no samples", ha="center", va="center")
        return
    first = samples[:SHOWN]
    pixels = grid(first, COLUMNS).repeat(SCALE, axis=0).repeat(SCALE, axis=1)
    image = Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels)
    write_image(path, captioned(image, f"{title}: {len(first)} samples, unselected"))


def read_sample_rows(path: Path, rows: int) -> np.ndarray:
    """Read the top ``rows`` rows of samples, as pixels, from a picture that `draw_samples` drew."""
    pixels = read_pixels(path)[CAPTION_HEIGHT:]
    return pixels[: len(pixels) * rows // ROWS]

"""Pictures with rows of images. The images in one column belong together."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from ganvae.pictures.canvas import figure, show_images

FITTING = 6  # letters that fit below one column; longer names are turned upright
LETTER = 0.08  # width in inches


def draw_rows(
    path: Path, rows: Mapping[str, Tensor], title: str, names: Sequence[str] | None = None
) -> None:
    """Draw rows of images, each with a label, one row below another.

    Args:
        rows: a mapping from a row's label to its images (uint8, N x C x H x W).
        names: the text below each column.
    """
    n, width = len(next(iter(rows.values()))), next(iter(rows.values())).shape[3]
    longest = max(map(len, names or [""]))
    upright = longest > FITTING
    room = LETTER * longest if upright else 0.0
    with figure(path, 0.45 * n + 1.4, 0.56 * len(rows) + 0.63 + room) as canvas:
        canvas.suptitle(title)
        axes = canvas.subplots(len(rows), 1, squeeze=False)[:, 0]
        for ax, (label, images) in zip(axes, rows.items(), strict=True):
            show_images(ax, images, n)
            ax.set_ylabel(label, rotation=0, ha="right", va="center")
        if names:
            centres = [(width + 1) * (number + 0.5) for number in range(n)]
            axes[-1].set_xticks(centres, names, rotation=90 if upright else 0)
            axes[-1].tick_params(length=0)

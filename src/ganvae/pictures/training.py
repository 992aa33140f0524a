"""Pictures of a training run: film, progress, first and last epoch, losses."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ganvae.core.files import replacing
from ganvae.pictures.canvas import captioned, figure, read_pixels, show_pixels
from ganvae.training.history import Row
from ganvae.training.trainer import PREVIEW_COLUMNS, PREVIEW_SCALE

FRAME_MILLISECONDS = 400
LAST_FRAME_MILLISECONDS = 3000
FILM_GREYS = 8
FILM_COLOURS = 64
FILM_COLUMNS = FILM_ROWS = 6
STRIP_LENGTH = 6
PANELS_A_ROW = 3

LOSS_TITLES = {
    "d_loss": "discriminator loss, nats",
    "d_loss_real": "discriminator loss on real, nats",
    "d_loss_fake": "discriminator loss on generated, nats",
    "g_loss": "generator loss, nats",
    "r1": "gradient penalty at real images (R1)",
    "r2": "gradient penalty at generated images (R2)",
    "gradient_penalty": "gradient penalty between real and generated images",
    "loss": "total loss",
    "reconstruction_loss": "reconstruction loss, summed over pixels",
    "kl": "KL(q(z|x) || p(z)), nats",
    "elbo": "evidence lower bound, nats",
    "d_skipped": "share of steps without D's update",
    "g_skipped": "share of steps without G's update",
}


@dataclass(frozen=True)
class Frame:
    """A picture file with the samples of one step of a training run.

    All frames of a training run show samples of the same latents.
    """

    path: Path
    step: int
    epoch: float

    def __str__(self) -> str:
        return f"step {self.step:,} (epoch {self.epoch:.2f})"


def read_frames(folder: Path, epochs_per_step: float) -> list[Frame]:
    """List the frames ``step-*.png`` in the progress folder of a training run, sorted by step."""
    paths = {int(path.stem.split("-")[1]): path for path in folder.glob("step-*.png")}
    return [Frame(paths[step], step, step * epochs_per_step) for step in sorted(paths)]


def draw_film(path: Path, frames: Sequence[Frame], title: str) -> None:
    """Write all frames as an animated GIF. A caption on each frame names the step."""
    images = []
    for frame in frames:
        with Image.open(frame.path) as image:
            images.append(_few_shades(captioned(_corner(image), f"{title}, {frame}")))
    durations = [FRAME_MILLISECONDS] * (len(images) - 1) + [LAST_FRAME_MILLISECONDS]
    with replacing(path) as temporary:
        images[0].save(
            temporary,
            format="GIF",
            save_all=True,
            append_images=images[1:],
            duration=durations,
            loop=0,
            optimize=True,
        )


def _corner(frame: Image.Image) -> Image.Image:
    """Crop a frame to its first 6 columns and 6 rows of samples, to keep the film small."""
    line = PREVIEW_SCALE
    width, height = ((side - line) * FILM_COLUMNS // PREVIEW_COLUMNS + line for side in frame.size)
    return frame.crop((0, 0, width, height))


def _few_shades(image: Image.Image) -> Image.Image:
    """Reduce a picture to 8 greys or 64 colours, to keep the film small."""
    if image.mode != "L":
        return image.quantize(FILM_COLOURS)
    step = 255 / (FILM_GREYS - 1)
    return image.point([round(round(shade / step) * step) for shade in range(256)])


def draw_strip(path: Path, frames: Sequence[Frame], marks: Sequence[int], title: str) -> None:
    """Draw the frames at the steps in ``marks`` side by side.

    Without marks, or if training ended before the last mark, draw at most six evenly spaced frames.
    These frames include the first frame and the last frame.
    """
    reached = marks and frames[-1].step >= marks[-1]
    shown = [frame for frame in frames if frame.step in marks] if reached else _spread(frames)
    _side_by_side(path, shown, f"{title}: samples of the same latents")


def draw_first_and_last_epoch(
    path: Path, frames: Sequence[Frame], first_epoch: int, title: str
) -> None:
    """Draw two frames side by side: the frame at step ``first_epoch`` and the last frame.

    ``first_epoch`` is the step at which the first epoch ends. Without a frame at this step, draw
    only the last frame.
    """
    last = frames[-1]
    first = [frame for frame in frames[:-1] if frame.step == first_epoch]
    what = "after the first epoch, and at the end" if first else "at the end"
    _side_by_side(path, [*first, last], f"{title}: {what}")


def _spread(frames: Sequence[Frame]) -> list[Frame]:
    last = len(frames) - 1
    positions = {round(number * last / (STRIP_LENGTH - 1)) for number in range(STRIP_LENGTH)}
    return [frames[position] for position in sorted(positions)]


def _side_by_side(path: Path, frames: Sequence[Frame], title: str) -> None:
    with figure(path, 2.2 * max(len(frames), 2) + 0.8, 2.7) as canvas:
        canvas.suptitle(title)
        axes = canvas.subplots(1, len(frames), squeeze=False)[0]
        for ax, frame in zip(axes, frames, strict=True):
            show_pixels(ax, read_pixels(frame.path))
            ax.set_title(str(frame), fontsize=9)


def draw_losses(path: Path, rows: Sequence[Row], title: str) -> None:
    """Plot each loss of a training run over its steps, one panel per loss.

    ``rows`` is the history of the training run.
    """
    names = [name for name in rows[0] if name not in ("step", "epoch")]
    columns = min(len(names), PANELS_A_ROW)
    lines = -(-len(names) // PANELS_A_ROW)
    steps = [row["step"] for row in rows]
    with figure(path, 3.4 * columns, 2.4 * lines + 0.3) as canvas:
        canvas.suptitle(f"{title}: means between reports, by training step")
        axes = canvas.subplots(lines, columns, squeeze=False).flatten()
        for ax in axes[len(names) :]:
            ax.set_axis_off()
        for ax, name in zip(axes, names, strict=False):
            ax.plot(steps, [row[name] for row in rows], lw=1, marker="." if len(rows) < 30 else "")
            ax.set_title(LOSS_TITLES.get(name, name), fontsize=9)
            ax.set_xlabel("step")
            ax.grid(alpha=0.3)
            if name.endswith("_skipped"):
                ax.set_ylim(-0.02, 1.02)
                ax.text(0.98, 0.9, _skips(rows, name), transform=ax.transAxes, ha="right")


def _skips(rows: Sequence[Row], name: str) -> str:
    """Return a text with the total number of steps that a network skipped.

    Each row has the share of skipped steps since the previous row, in the column ``name``.
    """
    before = [0.0, *(row["step"] for row in rows)]
    skips = sum(row[name] * (row["step"] - start) for row, start in zip(rows, before, strict=False))
    return f"{skips:,.0f} of {rows[-1]['step']:,.0f} steps"

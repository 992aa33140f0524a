"""Write small copies of the shown runs' pictures, to be stored in git.

The shown run of a variant is the training run whose pictures the pages show.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageSequence

from ganvae.config import Params
from ganvae.core.errors import UserError
from ganvae.core.files import read_json, replacing, write_json
from ganvae.core.paths import ProfilePaths, RunPaths
from ganvae.pictures.canvas import CAPTION_HEIGHT
from ganvae.pictures.small import encode, encode_film
from ganvae.pictures.training import FILM_ROWS
from ganvae.report.shown import INDEX, KINDS, STRIP, origin, shown_runs
from ganvae.scores.records import ScoreRecord

SIDE_ROWS = 2
"""The number of rows of images in each half (left and right) of a published film."""


def publish_pictures(params: Params) -> list[Path]:
    """Write the pictures of each variant's shown run to a folder of the variant.

    If a run's pictures are not in this clone, the published ones of this run stay.

    Returns:
        The folders, one per variant.

    Raises:
        UserError: a run has no pictures, and none are published.
    """
    paths = ProfilePaths(params.profile)
    shown = shown_runs(params)
    with replacing(paths.pictures) as folder:
        folder.mkdir()
        for variant, record in shown.items():
            run = paths.run(f"{variant}-{record.seed}")
            if run.pictures.exists():
                _publish(run, folder / variant)
            else:
                shutil.copytree(_published_of(variant, record, paths), folder / variant)
        write_json(folder / INDEX, {variant: origin(run) for variant, run in shown.items()})
    return [paths.pictures / variant for variant in shown]


def _published_of(variant: str, record: ScoreRecord, paths: ProfilePaths) -> Path:
    """Return the folder of a variant's published pictures, if they are of the run in the record."""
    index = paths.pictures / INDEX
    if not index.exists() or read_json(index).get(variant) != origin(record):
        run = f"{variant}-{record.seed}"
        raise UserError(
            f"{paths.run(run).pictures} is missing, and {paths.pictures} has no pictures of this "
            f"run. Restore {paths.pictures} from git, or run `ganvae repro` without "
            "--allow-missing."
        )
    return paths.pictures / variant


def _publish(run: RunPaths, folder: Path) -> None:
    """Write the existing pictures of one training run to ``folder``, in small formats."""
    folder.mkdir()
    marked = bool(read_json(run.outcome)["mark_steps"])
    for kind in KINDS:
        if kind.stem != STRIP or marked:
            for path in run.pictures.glob(f"{kind.stem}.*"):
                (folder / kind.file).write_bytes(_published(path, kind.suffix))


def _published(path: Path, suffix: str) -> bytes:
    with Image.open(path) as picture:
        if not getattr(picture, "is_animated", False):
            return encode(picture, suffix)
        frames = (frame.convert("RGB") for frame in ImageSequence.Iterator(picture))
        return encode_film(list(_side_by_side(frames)))


def _side_by_side(frames: Iterator[Image.Image]) -> Iterator[Image.Image]:
    """Shrink the images in each frame to half the size, and arrange the first rows in two columns.

    Each column has `SIDE_ROWS` rows. The two columns together are as wide as the caption, which
    keeps its size.
    """
    for frame in frames:
        width, height = frame.width, (frame.height - CAPTION_HEIGHT) // 2
        images = frame.crop((0, CAPTION_HEIGHT, *frame.size))
        images = images.resize((width // 2, height), Image.Resampling.NEAREST)
        step = (height - 1) // FILM_ROWS * SIDE_ROWS  # the distance between two lines of the grid
        canvas = Image.new("RGB", (width, CAPTION_HEIGHT + step + 1))
        canvas.paste(frame.crop((0, 0, width, CAPTION_HEIGHT)))
        for side in (0, 1):
            rows = images.crop((0, side * step, width // 2, (side + 1) * step + 1))
            canvas.paste(rows, (side * width // 2, CAPTION_HEIGHT))
        yield canvas

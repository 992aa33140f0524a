"""Write docs/learning.gif, in which both finalists of the laptop profile learn: `make docs`.

The frames are those of the published films. GitHub shows a GIF, but no AVIF film.
"""

import io
import sys
from pathlib import Path

from PIL import Image, ImageSequence

from ganvae.config import load_params
from ganvae.pictures.small import FRAME_MILLISECONDS, LAST_FRAME_MILLISECONDS
from ganvae.report.shown import FILM

ROOT = Path(__file__).parent.parent
TARGET = Path(__file__).with_name("learning.gif")
ENLARGED = 2
GREYS = 16


def frames_of(variant: str) -> list[Image.Image]:
    """The frames of a variant's film, in grey."""
    film = Image.open(ROOT / f"results/laptop/pictures/{variant}/{FILM.file}")
    return [frame.convert("L") for frame in ImageSequence.Iterator(film)]


def below_each_other(frames: tuple[Image.Image, ...]) -> Image.Image:
    """One enlarged frame with the frames of several films below each other."""
    width, heights = frames[0].width, [frame.height for frame in frames]
    picture = Image.new("L", (width, sum(heights)), "white")
    for number, frame in enumerate(frames):
        picture.paste(frame, (0, sum(heights[:number])))
    size = (ENLARGED * picture.width, ENLARGED * picture.height)
    return picture.resize(size, Image.Resampling.NEAREST).quantize(GREYS)


def film() -> bytes:
    """The bytes of the film."""
    films = map(frames_of, load_params(ROOT / "params.yaml").finalists)
    first, *others = map(below_each_other, zip(*films, strict=True))
    durations = [FRAME_MILLISECONDS] * len(others) + [LAST_FRAME_MILLISECONDS]
    content = io.BytesIO()
    first.save(content, "GIF", save_all=True, append_images=others, duration=durations, loop=0)
    return content.getvalue()


def main() -> None:
    """Write the film."""
    TARGET.write_bytes(film())
    sys.stdout.write(f"{TARGET.name}: {TARGET.stat().st_size / 1e3:.0f} kB\n")


if __name__ == "__main__":
    main()

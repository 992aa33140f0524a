"""Pictures in few bytes, as WebP: those that are kept in git and those in the page."""

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image

GREYS = 16
COLOURS = 256
"""Few shades take half the bytes of many; nobody sees it in a page.
(Colours by octree: a median cut merges those of small areas, as the keys of a legend.)"""
QUALITY = 45
LOSSY_PAYS = 0.8
"""Losses are accepted where they leave less than this share of the bytes."""
FILM_FRAMES = 7
FRAME_MILLISECONDS = 500
LAST_FRAME_MILLISECONDS = 3000


def encode(image: Image.Image) -> bytes:
    """A picture, without losses unless they pay."""
    return _encoded([image])


def encode_film(frames: Sequence[Image.Image]) -> bytes:
    """A film of at most `FILM_FRAMES` of the frames, the first and the last among them."""
    last = len(frames) - 1
    most = min(FILM_FRAMES, len(frames))
    kept = [round(number * last / max(most - 1, 1)) for number in range(most)]
    durations = [FRAME_MILLISECONDS] * (most - 1) + [LAST_FRAME_MILLISECONDS]
    return _encoded([frames[index] for index in kept], duration=durations, loop=0)


def _encoded(frames: Sequence[Image.Image], **film: Any) -> bytes:
    lossless = _webp([_few_shades(frame) for frame in frames], lossless=True, **film)
    lossy = _webp([frame.convert("RGB") for frame in frames], quality=QUALITY, **film)
    return lossy if len(lossy) < LOSSY_PAYS * len(lossless) else lossless


def _few_shades(image: Image.Image) -> Image.Image:
    colours = image.convert("RGB")
    red, *others = (band.tobytes() for band in colours.split())
    if all(band == red for band in others):
        few = image.convert("L").quantize(GREYS, dither=Image.Dither.NONE)
    else:
        octree = Image.Quantize.FASTOCTREE
        few = colours.quantize(COLOURS, method=octree, dither=Image.Dither.NONE)
    return few.convert("RGB")


def _webp(frames: Sequence[Image.Image], **options: Any) -> bytes:
    buffer = io.BytesIO()
    if len(frames) > 1:
        options |= {"save_all": True, "append_images": frames[1:]}
    frames[0].save(buffer, format="WEBP", **options)
    return buffer.getvalue()

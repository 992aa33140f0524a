"""Small picture files for git and the HTML page: AVIF for films and gradients, otherwise WebP."""

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image

GREYS = 16
COLOURS = 256
"""The number of colours in a lossless colour picture. A grey picture has `GREYS` shades.

A file with few shades has half the bytes of a file with many shades, and the difference is not
visible on a page. An octree chooses the colours, because a median cut would merge the colours of
small areas such as the keys of a legend.
"""
QUALITY = 45
AVIF_QUALITY = 45
LOSSY_PAYS = 0.8
"""Lossy compression is used if the file is smaller than this share of the lossless file."""
FILM_FRAMES = 7
FRAME_MILLISECONDS = 500
LAST_FRAME_MILLISECONDS = 3000


def encode(image: Image.Image, suffix: str = ".webp") -> bytes:
    """Return the bytes of a picture file.

    Args:
        image: the picture.
        suffix: ``.webp`` or ``.avif``. A WebP file has fewer shades and is lossless, unless lossy
            compression saves enough bytes. An AVIF file is always lossy, and is smaller for
            pictures with many shades.
    """
    if suffix == ".avif":
        return _avif([image])
    lossless = _webp(_few_shades(image), lossless=True)
    lossy = _webp(image.convert("RGB"), quality=QUALITY)
    return lossy if len(lossy) < LOSSY_PAYS * len(lossless) else lossless


def encode_film(frames: Sequence[Image.Image]) -> bytes:
    """Return the bytes of an AVIF film with at most `FILM_FRAMES` of the frames.

    The film has the first frame, the last frame, and evenly spaced frames between them.
    """
    last = len(frames) - 1
    most = min(FILM_FRAMES, len(frames))
    kept = [round(number * last / max(most - 1, 1)) for number in range(most)]
    durations = [FRAME_MILLISECONDS] * (most - 1) + [LAST_FRAME_MILLISECONDS]
    return _avif([frames[index] for index in kept], duration=durations)


def _few_shades(image: Image.Image) -> Image.Image:
    colours = image.convert("RGB")
    red, *others = (band.tobytes() for band in colours.split())
    if all(band == red for band in others):
        few = image.convert("L").quantize(GREYS, dither=Image.Dither.NONE)
    else:
        octree = Image.Quantize.FASTOCTREE
        few = colours.quantize(COLOURS, method=octree, dither=Image.Dither.NONE)
    return few.convert("RGB")


def _webp(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="WEBP", **options)
    return buffer.getvalue()


def _avif(frames: Sequence[Image.Image], **options: Any) -> bytes:
    first, *others = (frame.convert("RGB") for frame in frames)
    if others:
        options |= {"save_all": True, "append_images": others}
    buffer = io.BytesIO()
    # One thread: the bytes must not depend on the number of cores.
    first.save(buffer, format="AVIF", quality=AVIF_QUALITY, max_threads=1, **options)
    return _without_times(buffer.getvalue())


def _without_times(content: bytes) -> bytes:
    """Set a film's creation and modification times to 0, so that equal films have equal bytes.

    Both times stand in the headers of film, track and media (ISO/IEC 14496-12), after the version
    and the flags. Each time is a number of 4 bytes, or of 8 bytes in version 1.
    """
    patched = bytearray(content)
    for header in (b"mvhd", b"tkhd", b"mdhd"):
        start = content.find(header)
        if start >= 0:
            times = start + 8  # behind the header's name, its version (1 byte) and flags (3)
            length = 16 if content[start + 4] == 1 else 8
            patched[times : times + length] = bytes(length)
    return bytes(patched)

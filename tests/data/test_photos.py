"""The one reader of image files: what it converts, and what it refuses by name."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvae.core.errors import DataError
from ganvae.core.limits import VARIABLE
from ganvae.data.photos import read_image

GREY = np.random.default_rng(0).integers(2, 256, (6, 4), dtype=np.uint8)


def png(depth: int, colour: int, pixels: np.ndarray, *more: bytes) -> bytes:
    """A PNG file of any depth and colour type. ``more`` are chunks before the pixels."""
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = (
        chunk(b"IHDR", header),
        *more,
        chunk(b"IDAT", zlib.compress(rows)),
        chunk(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "image.png"  # the first bytes decide, not the suffix


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("PPM", {}), ("WEBP", {"lossless": True})],
)
def test_lossless_formats_give_the_same_pixels(file: Path, kind: str, options: dict) -> None:
    file.write_bytes(saved(Image.fromarray(GREY), kind, **options))
    pixels = read_image(file)
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, np.broadcast_to(GREY, pixels.shape))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_set_upright(file: Path, orientation: int) -> None:
    """EXIF's orientation says how a viewer must turn the image: here, back to `GREY`."""
    turned = {
        1: GREY, 2: GREY[:, ::-1], 3: GREY[::-1, ::-1], 4: GREY[::-1], 5: GREY.T,
        6: np.rot90(GREY), 7: GREY.T[::-1, ::-1], 8: np.rot90(GREY, -1),
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(turned[orientation]))
    file.write_bytes(saved(stored, "PNG", exif=exif))
    assert np.array_equal(read_image(file)[0], GREY)


WIDE = GREY.astype(">u2") * 257
TRANSPARENT = np.dstack([GREY] * 4)
HALF = Image.fromarray(GREY).convert("P")
FRAMES = {"save_all": True, "append_images": [Image.new("L", (4, 6))]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (png(16, 0, WIDE), "more than 8 bits per channel"),
        (png(16, 2, np.dstack([WIDE] * 3)), "more than 8 bits per channel"),
        (png(16, 4, np.dstack([WIDE] * 2)), "more than 8 bits per channel"),
        (png(16, 6, np.dstack([WIDE] * 4)), "more than 8 bits per channel"),
        (b"P6 1 1 65535\n" + bytes(6), "more than 8 bits per channel"),
        (b"P3 1 1 1000\n1 2 3\n", "more than 8 bits per channel"),
        (saved(Image.fromarray(GREY.astype(np.float32)), "TIFF"), "more than 8 bits per channel"),
        (png(8, 6, TRANSPARENT), "has transparent pixels"),
        (png(8, 4, TRANSPARENT[..., :2]), "has transparent pixels"),
        (png(8, 0, GREY, chunk(b"tRNS", struct.pack(">H", int(GREY[0, 0])))), "has transparent"),
        (saved(HALF, "PNG", transparency=int(GREY[0, 0])), "has transparent pixels"),
        (saved(Image.fromarray(TRANSPARENT), "TIFF"), "has transparent pixels"),
        (saved(Image.fromarray(TRANSPARENT), "WEBP"), "has transparent pixels"),
        (saved(Image.fromarray(GREY), "TIFF", **FRAMES), "has 2 frames"),
        (
            saved(
                Image.fromarray(GREY), "PNG", save_all=True, append_images=[Image.new("L", (4, 6))]
            ),
            "has 2 frames",
        ),
        (png(8, 3, GREY, chunk(b"tRNS", b"\0\xff")), "needs a palette of colours, but has none"),
        (png(8, 3, GREY), "needs a palette of colours, but has none"),
        (2 * (b"P5\n4 6\n255\n" + GREY.tobytes()), "has more bytes after its first image"),
        (b"P5 100000 100000 255\n", "unpacks to 10.0 GB or more, but the limit is 8.0 GB"),
    ],
)
def test_images_that_cannot_be_read_faithfully_are_refused(
    file: Path, content: bytes, message: str
) -> None:
    file.write_bytes(content)
    with pytest.raises(DataError, match=f"^{file} .*{message}") as error:
        read_image(file)
    assert "\n" not in str(error.value)


def test_opaque_images_with_an_alpha_channel_are_read(file: Path) -> None:
    opaque = np.dstack([GREY, GREY, GREY, np.full_like(GREY, 255)])
    file.write_bytes(png(8, 6, opaque))
    assert np.array_equal(read_image(file), opaque[..., :3].transpose(2, 0, 1))


def test_the_limit_can_be_raised(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_bytes(saved(Image.new("L", (1000, 1000)), "PNG"))
    monkeypatch.setenv(VARIABLE, "0.0005")
    with pytest.raises(DataError, match=r"unpacks to 1\.0 MB or more, but the limit is 0\.5 MB"):
        read_image(file)
    monkeypatch.setenv(VARIABLE, "0.001")
    assert read_image(file).shape == (1, 1000, 1000)

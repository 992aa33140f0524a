"""Drawn faces in the layout of LFW: a coloured oval with eyes and a mouth, one look per person."""

import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE = 100
Member = tuple[str, bytes]


def toy_face(person: int, photo: int) -> Image.Image:
    """Draw a face. ``person`` sets its colours and form, ``photo`` its position and expression."""
    look, moment = np.random.default_rng(person), np.random.default_rng([person, photo])
    background, skin, mouth = (tuple(look.integers(low, low + 100, 3)) for low in (0, 150, 0))
    width, height = look.integers(16, 22), look.integers(20, 27)
    eyes, smile = look.integers(6, 11), moment.integers(1, 6)
    x, y = SIDE // 2 + moment.integers(-3, 4, 2)
    image = Image.new("RGB", (SIDE, SIDE), background)
    draw = ImageDraw.Draw(image)
    draw.ellipse((x - width, y - height, x + width, y + height), skin)
    for eye in (x - eyes, x + eyes):
        draw.ellipse((eye - 2, y - 7, eye + 2, y - 3), "black")
    draw.ellipse((x - 8, y + 10 - smile, x + 8, y + 10 + smile), mouth)
    return image


def jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def photos(people: Mapping[str, int]) -> Iterator[Member]:
    """The names (``<person>/<person>_0001.jpg``) and bytes of photos, by the count per person."""
    for number, (person, count) in enumerate(people.items()):
        for photo in range(1, count + 1):
            yield f"{person}/{person}_{photo:04d}.jpg", jpeg(toy_face(number, photo))


def write_archive(path: Path, members: Iterable[Member]) -> None:
    """Write a .tgz file with these members in this order."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def write_lfw(path: Path, people: Mapping[str, int], top: str = "lfw-toy") -> None:
    """Write an archive like LFW's, with the people's folders in one top folder."""
    write_archive(path, ((f"{top}/{name}", content) for name, content in photos(people)))


def write_tree(directory: Path, people: Mapping[str, int]) -> None:
    """Write the same photos as folders."""
    for name, content in photos(people):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)

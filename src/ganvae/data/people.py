"""Photos of people: ``<person>/<photo>.jpg``, alone or under one top folder, packed or not."""

import gzip
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from ganvae.core.errors import DataError
from ganvae.data.photos import Form, decode, is_image, read_image
from ganvae.data.source import LabelledImages, Source

Pixels = npt.NDArray[np.uint8]
Photos = dict[PurePosixPath, Pixels]
ARCHIVES = (".tgz", ".tar.gz")
DEEPEST = 3  # top folder, person, photo
FAULTS = (tarfile.TarError, zlib.error, EOFError, OSError)
"""All that reading a damaged archive raises; gzip's own are among the last."""


def load_people(directory: Path, dataset: str, form: Form) -> Source:
    """Read all photos in ``directory``, sorted by person and file name; a class is a person.

    In ``directory`` is either one archive (.tgz or .tar.gz), which is read as a stream and never
    unpacked, or the folders. Files that are no images, and hidden ones, are passed over.

    Args:
        dataset: the registered name, for errors.

    Raises:
        DataError: no such folder, no photo, one that lies elsewhere or cannot be decoded, two
            archives, or an archive that is damaged, has links or devices, or leads out of itself.
    """
    if not directory.is_dir():
        found, folder = ("a file", "FOLDER") if directory.exists() else ("none", directory)
        raise DataError(
            f"{directory}: expected a folder of people's folders, or with an archive of them, "
            f"found {found}. Get one with `ganvae fetch {dataset} --directory {folder}`."
        )
    archive = _only_archive(directory)
    photos = _unpacked(directory, form) if archive is None else _packed(archive, form)
    if not photos:
        raise DataError(
            f"{archive or directory}: found no photo of a person. Get them with `ganvae fetch "
            f"{dataset} --directory {directory}`, or put an archive ({', '.join(ARCHIVES)}) there."
        )
    _check_places(archive or directory, photos)
    paths = sorted(photos, key=lambda path: path.parts[-2:])
    people = sorted({path.parent.name for path in paths})
    numbers = {person: number for number, person in enumerate(people)}
    labels = np.array([numbers[path.parent.name] for path in paths], np.int64)
    images = np.stack([photos[path] for path in paths])
    return Source(LabelledImages(images, labels), None, tuple(people), groups=labels)


def archives_in(directory: Path) -> list[Path]:
    """The archives in a folder, sorted; none where it is missing."""
    paths = directory.iterdir() if directory.is_dir() else ()
    return sorted(path for path in paths if path.name.endswith(ARCHIVES) and not _hidden(path.name))


def _only_archive(directory: Path) -> Path | None:
    archives = archives_in(directory)
    if not archives:
        return None
    if len(archives) > 1:
        names = ", ".join(path.name for path in archives)
        raise DataError(f"{directory}: expected one archive, found {names}. Move the others away.")
    photo = next(_image_files(directory), None)
    if photo is not None:
        raise DataError(
            f"{directory}: has an archive ({archives[0].name}) and photos ({photo}). "
            "Move one of the two away."
        )
    return archives[0]


def _unpacked(directory: Path, form: Form) -> Photos:
    return {path: read_image(directory / path, form) for path in _image_files(directory)}


def _image_files(directory: Path) -> Iterator[PurePosixPath]:
    """The image files in a folder by their paths in it, down to a level more than there may be."""
    for depth in range(1, DEEPEST + 2):
        for path in directory.glob("/".join("*" * depth)):
            relative = PurePosixPath(path.relative_to(directory).as_posix())
            if _is_photo(relative):
                yield relative


def _packed(archive: Path, form: Form) -> Photos:
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            photos = dict(_members(archive, tar, form))
            # A damaged header, too, ends the members: only a block of zeros is the end. What is
            # behind it is read for gzip to compare its checksum. To go back to it unpacks all once
            # more, which takes far less than the photos' decoding.
            stream.seek(tar.offset)
            if stream.read()[: tarfile.BLOCKSIZE] != bytes(tarfile.BLOCKSIZE):
                raise tarfile.ReadError("no end of archive")
    except FAULTS as error:
        raise DataError(
            f"{archive}: cannot be read to its end as a .tar.gz archive ({error}). "
            "Delete it and get it again."
        ) from None
    return photos


def _members(
    archive: Path, tar: tarfile.TarFile, form: Form
) -> Iterator[tuple[PurePosixPath, Pixels]]:
    for member in tar:
        path = PurePosixPath(member.name)
        name = f"{archive}: {member.name}"
        if path.is_absolute() or ".." in path.parts:
            raise DataError(f"{name}: leads out of the archive. Use an archive that you trust.")
        if not (member.isfile() or member.isdir()):
            raise DataError(f"{name}: expected files and folders, found a link or a device.")
        content = tar.extractfile(member)
        if content is not None and _is_photo(path):
            yield path, decode(BytesIO(content.read()), name, form)


def _is_photo(path: PurePosixPath) -> bool:
    return is_image(Path(path)) and not any(_hidden(part) for part in path.parts)


def _hidden(name: str) -> bool:
    return name.startswith(".")


def _check_places(where: Path, photos: Photos) -> None:
    """All photos must be in people's folders, and these where most of them are."""
    paths = sorted(photos)
    [(usual, _)] = Counter(path.parts[:-2] for path in paths).most_common(1)
    for path in paths:
        if not 2 <= len(path.parts) <= DEEPEST or path.parts[:-2] != usual:
            raise DataError(
                f"{where}: {path}: expected every photo in a person's folder, and those alone or "
                "in one top folder. Move it."
            )

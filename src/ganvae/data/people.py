"""Reading of photos ``[<top>/]<person>/<photo>.jpg`` in a folder or in a .tar.gz archive."""

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
from ganvae.core.files import refuse_special, special_kind
from ganvae.core.limits import check_unpacked
from ganvae.data.listing import left_out
from ganvae.data.photos import Form, check_levels, check_room, decode, is_image, read_image
from ganvae.data.source import LabelledImages, Source

Pixels = npt.NDArray[np.uint8]
Photos = dict[PurePosixPath, Pixels]
ARCHIVES = (".tgz", ".tar.gz")
DEEPEST = 3  # top folder, person, photo
FAULTS = (tarfile.TarError, zlib.error, EOFError, OSError)
"""All exceptions that a damaged archive can raise. ``gzip.BadGzipFile`` is an OSError."""


def load_people(directory: Path, dataset: str, form: Form) -> Source:
    """Read all photos in ``directory``, sorted by person and file name. Each person is a class.

    ``directory`` has one folder of photos per person, or one archive (.tgz or .tar.gz) with such
    folders. The archive is never unpacked to disk. Hidden files, and files that are no images, are
    ignored.

    Args:
        dataset: the registered name of the data set, for messages.

    Raises:
        DataError: the folder is missing, or has no photo, two archives, or both an archive and
            photos. Also raised for a misplaced or damaged photo, for a damaged archive, and for an
            archive with links, devices or paths that lead out of the archive.
    """
    if not directory.is_dir():
        fault, folder = (
            ("is a file", "FOLDER") if directory.exists() else ("does not exist", directory)
        )
        raise DataError(
            f"{directory} {fault}, but it must be a folder with one folder of photos per person, "
            f"or with an archive of such folders. Get photos with `ganvae fetch {dataset} "
            f"--directory {folder}`."
        )
    archive = _only_archive(directory)
    photos = _unpacked(directory, form) if archive is None else _packed(archive, form)
    if not photos:
        raise DataError(
            f"{archive or directory} contains no photo of a person. Get photos with `ganvae fetch "
            f"{dataset} --directory {directory}`, or put an archive ({', '.join(ARCHIVES)}) there."
        )
    _check_places(archive or directory, photos)
    paths = sorted(photos, key=lambda path: path.parts[-2:])
    people = sorted({path.parent.name for path in paths})
    numbers = {person: number for number, person in enumerate(people)}
    labels = np.array([numbers[path.parent.name] for path in paths], np.int64)
    images = np.stack([photos[path] for path in paths])
    check_levels(images, str(archive or directory))
    remarks = () if archive else left_out(directory, [directory / path for path in photos])
    return Source(LabelledImages(images, labels), None, tuple(people), labels, remarks)


def archives_in(directory: Path) -> list[Path]:
    """The sorted paths of the archives in a folder. Empty if the folder is missing."""
    paths = directory.iterdir() if directory.is_dir() else ()
    return sorted(path for path in paths if path.name.endswith(ARCHIVES) and not _hidden(path.name))


def _only_archive(directory: Path) -> Path | None:
    archives = archives_in(directory)
    if not archives:
        return None
    if len(archives) > 1:
        names = ", ".join(path.name for path in archives)
        raise DataError(
            f"{directory} has {len(archives)} archives ({names}), but only one archive can be "
            "read. Move the others away."
        )
    photo = next(_image_files(directory), None)
    if photo is not None:
        raise DataError(
            f"{directory} has both an archive ({archives[0].name}) and photos ({photo}). "
            "Move the archive or the photos away."
        )
    return archives[0]


def _unpacked(directory: Path, form: Form) -> Photos:
    paths = list(_image_files(directory))
    check_room(form, len(paths), str(directory))
    return {path: read_image(directory / path, form) for path in paths}


def _image_files(directory: Path) -> Iterator[PurePosixPath]:
    """Yield the relative paths of image files.

    The search goes one level deeper than photos may be, to find misplaced photos.
    """
    for depth in range(1, DEEPEST + 2):
        for path in directory.glob("/".join("*" * depth)):
            relative = PurePosixPath(path.relative_to(directory).as_posix())
            if _is_photo(relative) and special_kind(path) is None:
                yield relative


def _packed(archive: Path, form: Form) -> Photos:
    refuse_special(archive)
    check_room(form, 1, str(archive))
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            photos = dict(_members(archive, tar, form))
            # tarfile also stops at a damaged header, but only a block of zeros is the real end.
            # Reading the rest makes gzip verify its checksum. Seeking back decompresses everything
            # once more, which takes far less time than decoding the photos.
            stream.seek(tar.offset)
            if stream.read()[: tarfile.BLOCKSIZE] != bytes(tarfile.BLOCKSIZE):
                raise tarfile.ReadError("the end of the archive is missing")
    except FAULTS as error:
        raise DataError(
            f"{archive} is not readable to its end as a .tar.gz archive ({error}). "
            "Delete it and get it again."
        ) from None
    return photos


def _members(
    archive: Path, tar: tarfile.TarFile, form: Form
) -> Iterator[tuple[PurePosixPath, Pixels]]:
    unpacked = 0
    for member in tar:
        unpacked += member.size
        check_unpacked(unpacked, str(archive))
        path = PurePosixPath(member.name)
        name = f"{archive}: {member.name}"
        if path.is_absolute() or ".." in path.parts:
            raise DataError(
                f"{name}: this path leads out of the archive. Use an archive that you trust."
            )
        if not (member.isfile() or member.isdir()):
            raise DataError(
                f"{name} is a link or a device, but an archive may have only files and folders. "
                "Use another archive."
            )
        content = tar.extractfile(member)
        if content is not None and _is_photo(path):
            yield path, decode(BytesIO(content.read()), name, form)


def _is_photo(path: PurePosixPath) -> bool:
    return is_image(Path(path)) and not any(_hidden(part) for part in path.parts)


def _hidden(name: str) -> bool:
    return name.startswith(".")


def _check_places(source: Path, photos: Photos) -> None:
    """Check that each photo is in a person's folder, and that all these folders have one parent."""
    paths = sorted(photos)
    [(usual, _)] = Counter(path.parts[:-2] for path in paths).most_common(1)
    for path in paths:
        if not 2 <= len(path.parts) <= DEEPEST or path.parts[:-2] != usual:
            raise DataError(
                f"{source}: {path} is in the wrong place. Every photo must be in the folder of a "
                "person. All these folders must be at the top, or all in one common folder. Move "
                "the photo."
            )

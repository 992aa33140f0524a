"""The image files of a folder, and the files that a reader leaves out."""

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from ganvae.core.files import special_kind
from ganvae.data.photos import is_image, is_jpeg

NAMED = 3
"""The largest number of entries that a remark lists. Longer lists end in ``and <n> more``."""


def images_in(directory: Path) -> list[Path]:
    """The sorted image files directly inside a folder, without pipes, sockets and devices."""
    return sorted(
        path for path in directory.iterdir() if is_image(path) and special_kind(path) is None
    )


def subfolders(directory: Path) -> list[Path]:
    """The sorted folders directly inside ``directory``, without hidden folders."""
    folders = (path for path in directory.iterdir() if path.is_dir())
    return sorted(folder for folder in folders if not folder.name.startswith("."))


def left_out(directory: Path, read: Collection[Path]) -> tuple[str, ...]:
    """Write remarks on the files that a reader left out.

    Args:
        directory: the folder to search, with all subfolders. Hidden files and folders are ignored.
        read: the files that were read.
    """
    unread: Counter[str] = Counter()
    special: list[str] = []
    known = set(read)
    for path in _files(directory):
        if path in known:
            continue
        folder = path.parent.relative_to(directory).as_posix()
        if kind := special_kind(path):
            special.append(f"{path.relative_to(directory)} is {kind}")
        else:
            place = "" if folder == "." else f" in {folder}"
            unread[f"{path.suffix.lower() or 'no suffix'}{place}"] += 1
    return (*_unread_remark(directory, unread), *_special_remark(directory, special))


def jpeg_remark(directory: Path, read: Collection[Path]) -> tuple[str, ...]:
    """Write a remark if some files of a folder are JPEG files."""
    jpeg = sum(is_jpeg(path) for path in read)
    if not jpeg:
        return ()
    return (
        f"{directory}: {jpeg:,} of {len(read):,} images are JPEG files. JPEG artefacts change the "
        "images and so the scores. Use PNG files.",
    )


def _unread_remark(directory: Path, unread: Counter[str]) -> Iterator[str]:
    if unread:
        n = unread.total()
        kinds = [f"{count:,} ({kind})" for kind, count in unread.most_common()]
        yield (
            f"{directory}: {n:,} {'file was' if n == 1 else 'files were'} left out: "
            f"{_shortened(kinds)}. Only image files are read, and only in the expected folders."
        )


def _special_remark(directory: Path, special: list[str]) -> Iterator[str]:
    if special:
        yield f"{directory}: left out: {_shortened(special)}."


def _shortened(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _files(directory: Path) -> Iterator[Path]:
    """Yield all files below a folder, sorted, without hidden files and folders."""
    for path in sorted(directory.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if not path.is_symlink():  # a link may lead back up
                yield from _files(path)
        else:
            yield path

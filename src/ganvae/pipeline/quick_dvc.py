"""DVC with two changes. `python -m ganvae.pipeline.quick_dvc` takes the arguments of `dvc`.

- Each params.yaml is parsed once. DVC parses it again for each stage that depends on it. If nothing
  is stale, this takes most of the time.
- Files are written whole or not at all. DVC writes dvc.lock and `.dvc/tmp/rwlock` in place. A kill
  or a full disk would leave an empty file there, which every later DVC command refuses.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any

from dvc.cli import main
from dvc.dependency import param
from dvc.rwlock import RWLOCK_FILE
from dvc_objects.fs.local import FsspecLocalFileSystem

from ganvae.core.files import replacing


def open_whole(
    _: FsspecLocalFileSystem, path: str, mode: str = "r", encoding: str | None = None, **__: Any
) -> AbstractContextManager[IO[Any]]:
    """Open a file in place of DVC's own function. A text file is written whole or not at all.

    Raises:
        FileNotFoundError: the file is missing, or is a damaged rwlock. DVC then writes a new one.
    """
    file = Path(path)
    is_rwlock = file.name == RWLOCK_FILE
    if mode in ("w", "w+"):
        return _rwlock(file) if is_rwlock else _whole(file)
    if is_rwlock and not _is_json(file):
        raise FileNotFoundError(path)
    return file.open(mode, encoding=encoding)


@contextmanager
def _whole(path: Path) -> Iterator[IO[str]]:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        yield file


@contextmanager
def _rwlock(path: Path) -> Iterator[IO[str]]:
    """Open the rwlock for writing. DVC lets only one process do so at a time.

    The file is not forced to the disk, since DVC writes it hundreds of times for one status. After
    a power loss it may be damaged, but no process that it names lives then.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        yield file
    temporary.replace(path)


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    param.load_path = cache(param.load_path)
    FsspecLocalFileSystem.open = open_whole
    sys.exit(main(sys.argv[1:]))

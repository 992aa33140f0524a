"""The finished parts of a long estimate, kept in a file, so that a stopped estimate can go on."""

import time
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from ganvae.core.errors import DataError
from ganvae.core.tensors import load_tensors, save_tensors


class Parts:
    """The finished parts of one estimate, by name. Each part is a tensor.

    Args:
        path: the file of the parts. It is written anew, atomically, after each part.
        fingerprint: a checksum of everything that determines the parts. A file with another
            fingerprint is ignored, and the first new part replaces it. So is a damaged file.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._path = path
        self._fingerprint = fingerprint
        self._start = time.process_time()
        self._tensors, self._earlier = _read(path, fingerprint)

    @property
    def cpu_seconds(self) -> float:
        """The CPU time so far: of this process, and of all kept parts of earlier processes."""
        return self._earlier + time.process_time() - self._start

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def part(self, name: str, compute: Callable[[], Tensor]) -> Tensor:
        """Return the part ``name``, on the CPU. Compute and keep it if it is not finished yet.

        Raises:
            UserError: the file cannot be written.
        """
        if name not in self._tensors:
            self._tensors[name] = compute().cpu()
            card = {"fingerprint": self._fingerprint, "cpu_seconds": self.cpu_seconds}
            save_tensors(self._path, self._tensors, card)
        return self._tensors[name]


def _read(path: Path, fingerprint: str) -> tuple[dict[str, Tensor], float]:
    """Return the kept parts and their CPU time. There are none without a valid file."""
    try:
        tensors, card = load_tensors(path)
    except DataError:
        return {}, 0.0
    if card.get("fingerprint") != fingerprint:
        return {}, 0.0
    return tensors, float(card["cpu_seconds"])

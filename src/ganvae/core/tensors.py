"""Safetensors files. Equal tensors and equal metadata always give identical files."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ganvae.core.errors import DataError
from ganvae.core.files import refuse_special, replacing
from ganvae.core.records import R, parse_record

FAULTS = (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError)
"""All exceptions that a damaged file can raise."""

ADVICE = "If the pipeline writes this file, run `dvc repro`. Otherwise give another file."


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write named tensors and ``metadata``, atomically. The metadata must be JSON values.

    The file stores all metadata as a single entry. safetensors would write several entries in
    random order, and then equal contents could give files with different checksums.
    """
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        temporary.write_bytes(save(contiguous, {"ganvae": json.dumps(metadata, sort_keys=True)}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors by name, and the metadata, of a file that `save_tensors` wrote.

    Raises:
        DataError: the file is missing or damaged, was not written by this program, or is a named
            pipe, a socket or a device.
    """
    refuse_special(path)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            stored = (file.metadata() or {}).get("ganvae")
            metadata = json.loads(stored) if stored else None
    except FileNotFoundError:
        raise DataError(f"{path} is missing. {ADVICE}") from None
    except FAULTS as error:
        raise DataError(f"{path}: cannot be read as safetensors ({error}). {ADVICE}") from None
    if metadata is None:
        raise DataError(f"{path} was not written by this program: it has no metadata. {ADVICE}")
    if not isinstance(metadata, dict):
        raise DataError(
            f"{path}: its metadata is a {type(metadata).__name__}, but it must be a JSON "
            f"object. {ADVICE}"
        )
    return tensors, metadata


def read_tensors(path: Path, names: Collection[str], card: type[R]) -> tuple[dict[str, Tensor], R]:
    """Return the tensors by name, and the checked metadata, of a file of a known kind.

    Args:
        names: the tensors that the file must have.
        card: the class of record that the metadata must fit.

    Raises:
        DataError: as for `load_tensors`. Also raised if a tensor is missing, or if the metadata
            does not fit ``card``.
    """
    tensors, metadata = load_tensors(path)
    parsed = parse_record(card, metadata, path, ADVICE)
    if missing := sorted(set(names) - tensors.keys()):
        raise DataError(f"{path}: has no tensor {missing[0]!r}. {ADVICE}")
    return tensors, parsed

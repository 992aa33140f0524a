"""Tensors on disk. Equal tensors and metadata always give safetensors files of equal bytes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ganvae.core.errors import DataError
from ganvae.core.files import replacing

ADVICE = "If the pipeline writes this file, run `dvc repro`. Otherwise give another file."


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write named tensors and ``metadata``, atomically. JSON must be able to hold the metadata.

    The file stores all metadata as a single entry. safetensors writes several entries in random
    order, so several entries would change the checksum from file to file.
    """
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        temporary.write_bytes(save(contiguous, {"ganvae": json.dumps(metadata, sort_keys=True)}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors by name, and the metadata, of a file that `save_tensors` wrote.

    Raises:
        DataError: the file is missing, damaged, or was not written by this program.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, json.loads(file.metadata()["ganvae"])
    except FileNotFoundError:
        raise DataError(f"{path} is missing. {ADVICE}") from None
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise DataError(f"{path}: cannot be read as safetensors ({error}). {ADVICE}") from None

"""Tensors on disk: safetensors files whose bytes depend on nothing but their content."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ganvae.core.errors import DataError
from ganvae.core.files import replacing

ADVICE = "If it is one of the pipeline's files, `dvc repro` writes it anew; else give another file."


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write named tensors and JSON-able ``metadata``, atomically.

    The metadata goes in as one entry: safetensors writes several in random order, which would
    give the same content another checksum each time.
    """
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        temporary.write_bytes(save(contiguous, {"ganvae": json.dumps(metadata, sort_keys=True)}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_tensors` wrote: the tensors by name, and the metadata.

    Raises:
        DataError: missing, damaged, or not a file of this program.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, json.loads(file.metadata()["ganvae"])
    except FileNotFoundError:
        raise DataError(f"{path} is missing. {ADVICE}") from None
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise DataError(f"{path}: cannot be read as safetensors ({error}). {ADVICE}") from None

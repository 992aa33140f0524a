"""Prepared splits on disk, with one safetensors file per split."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganvae.core.tensors import load_tensors, save_tensors
from ganvae.data.splits import Split


@dataclass(frozen=True)
class StoredSplit:
    """A prepared split, read from a file.

    Attributes:
        images: the images, uint8, N x C x H x W.
        labels: the class of each image, int64, of length N.
        index: the position of each image in the official set, int64, of length N.
        dataset: the name of the data set.
        split: the name of the split.
        official_set: the official set that the images were drawn from, ``train`` or ``test``.
        classes: the names of the classes, in the order of their labels.
    """

    images: Tensor
    labels: Tensor
    index: Tensor
    dataset: str
    split: str
    official_set: str
    classes: tuple[str, ...]


def write_split(
    path: Path, name: str, split: Split, dataset: str, classes: tuple[str, ...]
) -> None:
    """Write one split to ``path``, atomically."""
    tensors = {
        "images": torch.from_numpy(split.data.images),
        "labels": torch.from_numpy(split.data.labels),
        "index": torch.from_numpy(split.index),
    }
    metadata = {
        "dataset": dataset,
        "split": name,
        "official_set": split.official_set,
        "classes": classes,
    }
    save_tensors(path, tensors, metadata)


def read_split(path: Path) -> StoredSplit:
    """Read a split written by `write_split`.

    Raises:
        DataError: the file is missing or damaged.
    """
    tensors, metadata = load_tensors(path)
    return StoredSplit(
        images=tensors["images"],
        labels=tensors["labels"],
        index=tensors["index"],
        dataset=metadata["dataset"],
        split=metadata["split"],
        official_set=metadata["official_set"],
        classes=tuple(metadata["classes"]),
    )

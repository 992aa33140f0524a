"""Files of prepared splits: one safetensors file per split."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganvae.core.errors import DataError
from ganvae.core.records import Record
from ganvae.core.tensors import ADVICE, read_tensors, save_tensors
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


class SplitRecord(Record):
    """The metadata of a split's file."""

    dataset: str
    split: str
    official_set: str
    classes: tuple[str, ...]


def read_split(path: Path) -> StoredSplit:
    """Read a split written by `write_split`.

    Raises:
        DataError: the file is missing or damaged, or does not hold a split.
    """
    tensors, record = read_tensors(path, ("images", "labels", "index"), SplitRecord)
    images, labels, index = tensors["images"], tensors["labels"], tensors["index"]
    if images.dtype != torch.uint8 or images.ndim != 4:
        raise DataError(f"{path}: `images` is not uint8 of shape N x C x H x W. {ADVICE}")
    if any(each.shape != images.shape[:1] or each.dtype != torch.int64 for each in (labels, index)):
        raise DataError(f"{path}: `labels` and `index` must be int64, one per image. {ADVICE}")
    return StoredSplit(images, labels, index, **dict(record))

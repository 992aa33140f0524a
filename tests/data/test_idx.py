"""Faulty IDX files: one clear error each, naming file, expected, found and what to do."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT
from ganvae.data.datasets.mnist import FILES
from ganvae.data.idx import IdxFile, IdxFiles, load_idx, read_idx
from ganvae.data.registry import dataset_names, get_dataset
from ganvae.errors import ConfigError, DataError
from ganvae.files import sha256

RAW = ROOT / "data/raw/mnist"


def idx_bytes(array: np.ndarray, magic: int | None = None) -> bytes:
    header = [2048 + array.ndim if magic is None else magic, *array.shape]
    content = b"".join(number.to_bytes(4, "big") for number in header) + array.tobytes()
    return gzip.compress(content, mtime=0)


@pytest.fixture
def small(tmp_path: Path) -> tuple[IdxFiles, Path]:
    """A whole little data set in the same form, with its own checksums."""
    arrays = {
        "train-images": np.arange(4 * 3 * 2, dtype=np.uint8).reshape(4, 3, 2),
        "train-labels": np.array([0, 1, 2, 1], np.uint8),
        "test-images": np.zeros((2, 3, 2), np.uint8),
        "test-labels": np.array([2, 0], np.uint8),
    }
    files = {}
    for name, array in arrays.items():
        (tmp_path / name).write_bytes(idx_bytes(array))
        files[name.replace("-", "_")] = IdxFile(name, sha256(tmp_path / name))
    return IdxFiles(dataset="small", mirrors=(), **files), tmp_path


def test_committed_mnist_is_the_published_one() -> None:
    source = load_idx(FILES, RAW)
    assert source.train.images.shape == (60_000, 1, 28, 28)
    assert source.test is not None
    assert source.test.images.shape == (10_000, 1, 28, 28)
    assert np.bincount(source.test.labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    assert source.classes == tuple("0123456789")


def test_small_set_is_read(small: tuple[IdxFiles, Path]) -> None:
    source = load_idx(*small)
    assert source.train.images[1, 0].tolist() == [[6, 7], [8, 9], [10, 11]]
    assert source.train.labels.tolist() == [0, 1, 2, 1]


def test_missing_file(small: tuple[IdxFiles, Path]) -> None:
    files, directory = small
    (directory / "test-labels").unlink()
    message = r"test-labels: expected a file with sha256 .*, found none\. Get it with `ganvae fetch"
    with pytest.raises(DataError, match=message):
        load_idx(files, directory)


def test_truncated_file(tmp_path: Path) -> None:
    for file in FILES:
        shutil.copy(RAW / file.name, tmp_path)
    path = tmp_path / FILES.test_images.name
    path.write_bytes(path.read_bytes()[:10_000])
    with pytest.raises(DataError) as error:
        load_idx(FILES, tmp_path)
    message = str(error.value)
    assert f"{path}: expected sha256 8d422c7b" in message
    assert f"found {sha256(path)}" in message
    assert "gzip stream is cut short" in message
    assert f"`ganvae fetch mnist --directory {tmp_path}`" in message


def test_valid_file_with_other_content(small: tuple[IdxFiles, Path]) -> None:
    files, directory = small
    (directory / "train-labels").write_bytes(idx_bytes(np.array([0, 1, 2, 2], np.uint8)))
    with pytest.raises(DataError, match="a valid IDX file, but not the published one"):
        load_idx(files, directory)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>not found</html>", "cannot be read as gzip"),
        (idx_bytes(np.zeros((2, 2), np.uint8)), "magic number 2051, found 2050"),
        (idx_bytes(np.zeros((1, 2, 2), np.uint8), magic=9), "magic number 2051, found 9"),
        (gzip.compress(b"\0\0\x08\x03\0\0"), "magic number 2051, found 2051"),
        (gzip.compress(gzip.decompress(idx_bytes(np.zeros((2, 2, 2), np.uint8)))[:-1]), "found 7"),
        (b"", "magic number 2051, found 0"),
    ],
)
def test_faulty_content(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_idx(path, 3)


def test_images_and_labels_must_pair(small: tuple[IdxFiles, Path]) -> None:
    files, directory = small
    (directory / "short").write_bytes(idx_bytes(np.array([0, 1], np.uint8)))
    short = IdxFile("short", sha256(directory / "short"))
    files = IdxFiles(**(vars(files) | {"train_labels": short}))
    with pytest.raises(DataError, match=r"4 images but .* 2 labels"):
        load_idx(files, directory)


def test_registry_finds_data_sets_by_file() -> None:
    assert "mnist" in dataset_names()
    assert all(get_dataset(name).name == name for name in dataset_names())
    with pytest.raises(ConfigError, match=r"'minst' is unknown; there are: .*mnist"):
        get_dataset("minst")

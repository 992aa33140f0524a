"""IDX data sets: MNIST and its splits stay the same, and faulty files give clear errors."""

import gzip
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT
from ganvae.config import DataConfig
from ganvae.core.errors import ConfigError, DataError
from ganvae.core.files import sha256
from ganvae.data.datasets.mnist import FILES
from ganvae.data.idx import IdxFile, IdxFiles, load_idx, load_published, read_idx
from ganvae.data.registry import dataset_names, get_dataset
from ganvae.data.splits import load_source, make_splits

RAW = ROOT / "data/raw/mnist"


def idx_bytes(array: np.ndarray, magic: int | None = None) -> bytes:
    header = [2048 + array.ndim if magic is None else magic, *array.shape]
    content = b"".join(number.to_bytes(4, "big") for number in header) + array.tobytes()
    return gzip.compress(content, mtime=0)


@pytest.fixture
def small(tmp_path: Path) -> tuple[IdxFiles, Path]:
    """A complete small data set in IDX files, with their checksums."""
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
    about = {"dataset": "small", "classes": ("bag", "coat", "shoe"), "shape": "1 x 3 x 2"}
    return IdxFiles(**about, mirrors=(), **files), tmp_path


def config(dataset: str, directory: Path, **options: int | None) -> DataConfig:
    sizes = {"train_size": None, "validation_size": 5000, "test_size": None, "split_seed": 0}
    about = {"dataset": dataset, "layout": "idx", "directory": str(directory)}
    return DataConfig.model_validate(about | sizes | options)


def test_committed_mnist_is_the_published_data_set() -> None:
    source = load_idx(FILES, RAW)
    assert source.train.images.shape == (60_000, 1, 28, 28)
    assert source.test is not None
    assert source.test.images.shape == (10_000, 1, 28, 28)
    assert np.bincount(source.test.labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    assert source.classes == tuple("0123456789")


@pytest.mark.parametrize(
    ("train_size", "split", "checksum"),
    [
        (None, "train", "85e6b0753e263457500726e0f5775219a58ae70562e7fb3cc7f7993ddf3e4b2a"),
        (7781, "train", "43033360ad7aea1e17c45c3c1634c12e16d72fe1e056592bd8d8155096ac33f5"),
        (7781, "validation", "c54a15b1284e1df7541299c8a8dfd86cc26f63feebfa68a22c7661c7b36fc369"),
        (7781, "test", "5413350b4cb152dae70a2d697dceb075f3f7aa332503435c3b3aff261e878e9f"),
    ],
)
def test_mnists_splits_match_its_judge_and_published_scores(
    train_size: int | None, split: str, checksum: str
) -> None:
    settings = config("mnist", RAW, train_size=train_size)
    drawn = make_splits(load_source(settings), settings)[split]
    arrays = (drawn.index, drawn.data.labels, drawn.data.images)
    assert hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest() == checksum


@pytest.mark.parametrize("option", [{"size": 32}, {"channels": 3}])
def test_resizing_and_recolouring_idx_images_is_refused(
    small: tuple[IdxFiles, Path], option: dict[str, int]
) -> None:
    files, directory = small
    ((key, value),) = option.items()
    message = rf"^data\.{key} is {value}, but the images of small .* published shape, 1 x 3 x"
    with pytest.raises(ConfigError, match=message):
        load_published(files, config("small", directory, **option))
    assert len(load_published(files, config("small", directory)).train) == 4


def test_images_labels_and_classes_are_read(small: tuple[IdxFiles, Path]) -> None:
    source = load_idx(*small)
    assert source.train.images[1, 0].tolist() == [[6, 7], [8, 9], [10, 11]]
    assert source.train.labels.tolist() == [0, 1, 2, 1]
    assert source.classes == ("bag", "coat", "shoe")


def test_a_missing_file_is_reported(small: tuple[IdxFiles, Path]) -> None:
    files, directory = small
    (directory / "test-labels").unlink()
    message = r"test-labels is missing \(SHA-256 .*\)\. Get it with `ganvae fetch"
    with pytest.raises(DataError, match=message):
        load_idx(files, directory)


def test_a_truncated_file_is_reported(tmp_path: Path) -> None:
    for file in FILES:
        shutil.copy(RAW / file.name, tmp_path)
    path = tmp_path / FILES.test_images.name
    path.write_bytes(path.read_bytes()[:10_000])
    with pytest.raises(DataError) as error:
        load_idx(FILES, tmp_path)
    message = str(error.value)
    assert f"{path} has SHA-256 {sha256(path)}" in message
    assert "the published file has 8d422c7b" in message
    assert "gzip stream is truncated" in message
    assert f"`ganvae fetch mnist --directory {tmp_path}`" in message


def test_a_valid_file_with_other_content_is_refused(small: tuple[IdxFiles, Path]) -> None:
    files, directory = small
    (directory / "train-labels").write_bytes(idx_bytes(np.array([0, 1, 2, 2], np.uint8)))
    with pytest.raises(DataError, match="a valid IDX file, but not the published one"):
        load_idx(files, directory)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>not found</html>", "not readable as gzip"),
        (idx_bytes(np.zeros((2, 2), np.uint8)), r"magic number is 2050 \(2051 expected\)"),
        (idx_bytes(np.zeros((1, 2, 2), np.uint8), magic=9), r"magic number is 9 \(2051 expected\)"),
        (gzip.compress(b"\0\0\x08\x03\0\0", mtime=0), r"ends in its header, after 6 of 16 bytes"),
        (
            gzip.compress(gzip.decompress(idx_bytes(np.zeros((2, 2, 2), np.uint8)))[:-1], mtime=0),
            "but 7 follow",
        ),
        (b"", r"magic number is 0 \(2051 expected\)"),
    ],
)
def test_faulty_idx_content_is_reported(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_idx(path, 3)


def test_different_numbers_of_images_and_labels_are_refused(small: tuple[IdxFiles, Path]) -> None:
    files, directory = small
    (directory / "short").write_bytes(idx_bytes(np.array([0, 1], np.uint8)))
    short = IdxFile("short", sha256(directory / "short"))
    files = IdxFiles(**(vars(files) | {"train_labels": short}))
    with pytest.raises(DataError, match=r"4 images, but .* 2 labels"):
        load_idx(files, directory)


def test_the_registry_finds_data_sets_by_module() -> None:
    assert "mnist" in dataset_names()
    assert all(get_dataset(name).name == name for name in dataset_names())
    with pytest.raises(ConfigError, match=r"'minst' is unknown; choose one of: .*mnist"):
        get_dataset("minst")

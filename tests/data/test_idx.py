"""IDX data sets: MNIST stays what it is, and each faulty file is one error that says what to do."""

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
    about = {"dataset": "small", "classes": ("bag", "coat", "shoe"), "shape": "1 x 3 x 2"}
    return IdxFiles(**about, mirrors=(), **files), tmp_path


def config(dataset: str, directory: Path, **options: int | None) -> DataConfig:
    sizes = {"train_size": None, "validation_size": 5000, "test_size": None, "split_seed": 0}
    about = {"dataset": dataset, "layout": "idx", "directory": str(directory)}
    return DataConfig.model_validate(about | sizes | options)


def test_committed_mnist_is_the_published_one() -> None:
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
def test_mnists_splits_are_those_that_its_judge_and_all_its_scores_are_of(
    train_size: int | None, split: str, checksum: str
) -> None:
    wanted = config("mnist", RAW, train_size=train_size)
    found = make_splits(load_source(wanted), wanted)[split]
    arrays = (found.index, found.data.labels, found.data.images)
    assert hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest() == checksum


@pytest.mark.parametrize("option", [{"size": 32}, {"channels": 3}])
def test_images_in_idx_files_are_neither_resized_nor_recoloured(
    small: tuple[IdxFiles, Path], option: dict[str, int]
) -> None:
    files, directory = small
    ((key, value),) = option.items()
    message = rf"^data\.{key} = {value}: the images of small are 1 x 3 x 2 as published; leave it "
    with pytest.raises(ConfigError, match=message):
        load_published(files, config("small", directory, **option))
    assert len(load_published(files, config("small", directory)).train) == 4


def test_small_set_is_read(small: tuple[IdxFiles, Path]) -> None:
    source = load_idx(*small)
    assert source.train.images[1, 0].tolist() == [[6, 7], [8, 9], [10, 11]]
    assert source.train.labels.tolist() == [0, 1, 2, 1]
    assert source.classes == ("bag", "coat", "shoe")


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
        (gzip.compress(b"\0\0\x08\x03\0\0", mtime=0), "magic number 2051, found 2051"),
        (
            gzip.compress(gzip.decompress(idx_bytes(np.zeros((2, 2, 2), np.uint8)))[:-1], mtime=0),
            "found 7",
        ),
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

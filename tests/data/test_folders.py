"""Images in class folders: of equal size, or resized."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvae.config import DataConfig
from ganvae.core.errors import ConfigError, DataError
from ganvae.data.registry import get_dataset
from ganvae.data.source import Source
from ganvae.data.splits import load_source


def load(directory: Path, size: int | None = None, channels: int | None = None) -> Source:
    values = {"dataset": "mine", "layout": "folders", "directory": str(directory), "split_seed": 0}
    sizes = {"train_size": None, "validation_size": 1, "test_size": 1}
    return load_source(
        DataConfig.model_validate({**values, **sizes, "size": size, "channels": channels})
    )


def save(path: Path, pixels: np.ndarray) -> None:
    """Write an image: height x width if grey, height x width x 3 if colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A wide colour image, a high grey image, and a small image with a palette."""
    wide = np.full((20, 40, 3), (0, 0, 255), np.uint8)
    wide[:, 10:30] = (200, 100, 0)
    save(tmp_path / "a/wide.png", wide)
    high = np.full((50, 16), 255, np.uint8)
    high[17:33] = 40
    save(tmp_path / "a/high.jpg", high)
    (tmp_path / "b").mkdir()
    Image.new("RGB", (5, 5), (200, 100, 0)).quantize(4).save(tmp_path / "b/small.png")
    return tmp_path


@pytest.mark.parametrize("suffix", ["png", "jpg", "pgm"])
def test_images_of_every_format_and_size_are_read(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / f"cat/1.{suffix}", np.full((20, 30), 10, np.uint8))
    save(tmp_path / f"dog/1.{suffix}", np.full((20, 30), 200, np.uint8))
    source = load(tmp_path)
    assert source.classes == ("cat", "dog")
    assert source.train.images.shape == (2, 1, 20, 30)
    assert source.train.images[1].mean() == pytest.approx(200, abs=1)
    assert source.groups is None


def test_colour_folders_have_three_channels(tmp_path: Path) -> None:
    save(tmp_path / "red/1.png", np.full((4, 4, 3), (255, 0, 0), np.uint8))
    assert load(tmp_path).train.images[0, :, 0, 0].tolist() == [255, 0, 0]


def test_images_of_all_kinds_are_cropped_and_resized(mixed: Path) -> None:
    colour = load(mixed, size=10, channels=3).train
    assert colour.images.shape == (3, 3, 10, 10)
    assert colour.labels.tolist() == [0, 0, 1]
    high, wide, small = colour.images
    assert np.abs(wide.astype(int) - np.reshape([200, 100, 0], (3, 1, 1))).max() == 0
    assert np.array_equal(small, wide)
    assert np.abs(high.astype(int) - 40).max() < 8  # the white above and below is cut off
    grey = load(mixed, size=10, channels=1).train.images
    assert grey.shape == (3, 1, 10, 10)
    assert np.unique(grey[1]).tolist() == [round(0.299 * 200 + 0.587 * 100)]


@pytest.mark.parametrize(("size", "channels"), [(32, 1), (64, 3)])
def test_whole_images_are_resized(tmp_path: Path, size: int, channels: int) -> None:
    slope = np.linspace(0, 255, 200).round().astype(np.uint8)
    save(tmp_path / "a/1.png", np.tile(slope, (200, 1)))
    image = load(tmp_path, size, channels).train.images[0]
    assert image.shape == (channels, size, size)
    expected = (np.arange(size) + 0.5) * 255 / size
    assert np.abs(image - expected).max() < 2


def test_the_first_image_decides_a_missing_size_or_channels(mixed: Path) -> None:
    advice = r"\. Set data\.size and data\.channels"
    with pytest.raises(
        DataError, match=rf"wide\.png has shape 3 x 8 x 8, but .* has 1 x 8 x 8{advice}"
    ):
        load(mixed, size=8)
    with pytest.raises(DataError, match=rf"has shape 3 x 20 x 40, but .* has 3 x 50 x 16{advice}"):
        load(mixed, channels=3)
    (mixed / "a/high.jpg").unlink()
    assert load(mixed, size=8).train.images.shape == (2, 3, 8, 8)


def test_train_and_test_need_equal_shapes_and_classes(tmp_path: Path) -> None:
    for split, size in (("train", 4), ("test", 6)):
        save(tmp_path / split / "a/1.png", np.zeros((size, size), np.uint8))
    with pytest.raises(DataError, match=r"test/a/1\.png has shape 1 x 6 x 6, but .* 1 x 4 x 4"):
        load(tmp_path)
    source = load(tmp_path, size=5)
    assert source.test is not None
    assert source.train.image_shape == source.test.image_shape == (1, 5, 5)
    save(tmp_path / "test/b/1.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(DataError, match="train and test have different class folders"):
        load(tmp_path)


def test_faulty_folders_are_reported(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none is not a folder"):
        load(tmp_path / "none")
    with pytest.raises(DataError, match="contains no folders"):
        load(tmp_path)
    (tmp_path / "a").mkdir()
    with pytest.raises(DataError, match="contains no image"):
        load(tmp_path)
    save(tmp_path / "a/1.png", np.zeros((4, 4), np.uint8))
    save(tmp_path / "a/2.png", np.zeros((4, 4), np.uint16))
    with pytest.raises(DataError, match=r"2\.png has more than 8 bits per channel \(mode I;16\)"):
        load(tmp_path, size=4, channels=1)
    (tmp_path / "a/2.png").rename(tmp_path / "a/._2.png")  # hidden files are ignored
    assert len(load(tmp_path).train) == 1
    (tmp_path / "a/2.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"2\.png cannot be decoded"):
        load(tmp_path)


def test_other_formats_with_an_image_suffix_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n")
    with pytest.raises(
        DataError, match=r"1\.png .*not begin like a PNG, JPEG, PPM, BMP, WEBP or T"
    ):
        load(tmp_path)


def test_folders_cannot_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="folders has nothing to download"):
        get_dataset("folders").fetch(tmp_path, None)


def test_files_that_are_left_out_are_named(tmp_path: Path) -> None:
    save(tmp_path / "a/1.png", np.full((4, 4), 9, np.uint8))
    save(tmp_path / "a/deep/2.png", np.full((4, 4), 9, np.uint8))
    (remark,) = load(tmp_path).remarks
    assert remark.startswith(f"{tmp_path}: 1 file was left out: 1 (.png in a/deep). Only image")

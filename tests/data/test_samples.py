"""Reading of samples: all formats give the same tensor, and each fault gives a one-line message."""

import gzip
import io
import os
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.lib import format as npy
from PIL import Image

from ganvae.core.errors import DataError
from ganvae.core.limits import VARIABLE
from ganvae.data.samples import read_samples, take_samples

GREY, COLOUR = (1, 4, 6), (3, 4, 6)
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (5, *GREY), dtype=np.uint8)
COLOURS = RANDOM.integers(0, 256, (5, *COLOUR), dtype=np.uint8)


def idx(images: np.ndarray) -> bytes:
    header = [0x800 + images.ndim, *images.shape]
    return b"".join(number.to_bytes(4, "big") for number in header) + images.tobytes()


def npy_header(shape: tuple[int, ...]) -> bytes:
    """The header of a .npy file of bytes."""
    stream = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(stream, fields)
    return stream.getvalue()


def save(path: Path, array: np.ndarray) -> Path:
    np.save(path, array)
    return path


def save_png(path: Path, image: np.ndarray) -> None:
    """Write an image, C x H x W, as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image.transpose(1, 2, 0).squeeze()).save(path)


def test_all_formats_of_the_same_images_give_the_same_tensor(tmp_path: Path) -> None:
    for number, image in enumerate(IMAGES):
        save_png(tmp_path / f"flat/{number}.png", image)
        save_png(tmp_path / f"in_colour/{number}.png", image.repeat(3, axis=0))
        save_png(tmp_path / f"classes/{number // 3}/{number}.png", image)
        save_png(tmp_path / f"classes/.hidden/{number}.png", image)
    (tmp_path / "flat/README.txt").write_text("not an image")
    np.save(tmp_path / "a.npy", IMAGES)
    np.save(tmp_path / "flat.npy", IMAGES[:, 0])
    np.savez(tmp_path / "named.npz", images=IMAGES, labels=np.arange(5))
    np.savez_compressed(tmp_path / "alone.npz", x=IMAGES)
    np.save(tmp_path / "last.npy", IMAGES.transpose(0, 2, 3, 1))
    np.save(tmp_path / "fortran.npy", np.asfortranarray(IMAGES))
    (tmp_path / "images-idx3-ubyte").write_bytes(idx(IMAGES[:, 0]))
    (tmp_path / "images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES[:, 0])))
    for path in sorted(tmp_path.iterdir()):
        images = read_samples(path, GREY).images
        assert images.dtype == torch.uint8
        assert np.array_equal(images.numpy(), IMAGES), path
        assert images.is_contiguous()


def test_colour_images_are_read(tmp_path: Path) -> None:
    for number, image in enumerate(COLOURS):
        save_png(tmp_path / f"folder/{number}.png", image)
    np.save(tmp_path / "first.npy", COLOURS)
    np.save(tmp_path / "last.npy", COLOURS.transpose(0, 2, 3, 1))
    for path in tmp_path.iterdir():
        assert np.array_equal(read_samples(path, COLOUR).images.numpy(), COLOURS), path


def test_channels_come_first_if_both_orders_fit(tmp_path: Path) -> None:
    cubes = RANDOM.integers(0, 256, (2, 3, 3, 3), dtype=np.uint8)
    images = read_samples(save(tmp_path / "a.npy", cubes), (3, 3, 3)).images
    assert np.array_equal(images, cubes)


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8"])
def test_floats_are_rounded_to_the_nearest_level(tmp_path: Path, dtype: str) -> None:
    path = save(tmp_path / "a.npy", (IMAGES / 255).astype(dtype))
    assert np.array_equal(read_samples(path, GREY).images.numpy(), IMAGES)
    half_way = np.full((2, *GREY), 100.6 / 255).astype(dtype)
    images = read_samples(save(tmp_path / "b.npy", half_way), GREY).images
    assert images.unique().tolist() == [101]


def test_the_suffix_of_a_file_does_not_matter(tmp_path: Path) -> None:
    save(tmp_path / "a.npy", IMAGES).rename(tmp_path / "a.npz")
    assert np.array_equal(read_samples(tmp_path / "a.npz", GREY).images.numpy(), IMAGES)


def floats(*ends: float) -> np.ndarray:
    """Images with evenly spaced values that include the given ends."""
    values = np.linspace(min(ends), max(ends), 5 * 24).reshape(5, *GREY).astype(np.float32)
    values[0, 0, 0, : len(ends)] = ends
    return values


NAN = floats(0, 1)
NAN[2:4, 0, 1, 1] = np.nan


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            floats(-1, 1),
            r"lie in \[0, 1\], found -1.* from -1 to 1\. If .* tanh, give \(x \+ ",
        ),
        (
            floats(0, 255),
            r"from 0 to 255\. If .* 0 to 255, give uint8, or divide",
        ),
        (floats(-0.42, 2.8), r"found -0\.4.* range from -0\.42 to 2\.8\. Undo the scaling"),
        (floats(-0.01, 1), r"range from -0\.01 to 1\. Undo the scaling, or clip the"),
        (NAN, r"found nan\. 2 values are NaN or infinite\."),
        (
            floats(0, 1).astype(np.float64) * 1e300,
            r"found inf\. .* from 0 to 1e\+300\. Undo",
        ),
        (IMAGES.astype(np.int64), r"has type int64\. Give uint8 from 0 to 255, or floats"),
        (IMAGES > 100, "has type bool"),
        (IMAGES.astype("S3"), r"has type \|S3"),
        ((IMAGES > 100).astype(np.uint8), r"brightest value is 1 of 255, so .* Give values from 0"),
        (
            IMAGES / 255 / 255,
            r"brightest value is 0\.0038, so .* divided by 255 twice\. Give floats",
        ),
        (
            COLOURS,
            "shape N x 3 x 4 x 6, but they must have N x 1 x 4 x 6 .* colour images: con",
        ),
        (COLOURS.transpose(0, 2, 3, 1), "have shape N x 4 x 6 x 3, .* colour images: convert"),
        (IMAGES.transpose(0, 1, 3, 2), "have shape N x 1 x 6 x 4, .*width..$"),
        (IMAGES.reshape(5, -1), "have shape N x 24, .*width..$"),
        (IMAGES[0, 0, 0, 0], "have shape N, .*width..$"),
        (IMAGES[:0], r"contains no image: its array has shape 0 x 1 x 4 x 6\."),
        (np.array([{}, 1], dtype=object), r"pickled Python objects\. .* refused\. Save a plain"),
    ],
)
def test_unsuitable_arrays_are_refused(tmp_path: Path, array: Any, message: str) -> None:
    path = save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match=f"(?s)^{path}:? .*{message}") as error:
        read_samples(path, GREY)
    assert "\n" not in str(error.value)


def test_grey_arrays_for_a_colour_data_set_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"have shape N x 1 x 4 x 6, but they must have N x 3"):
        read_samples(save(tmp_path / "a.npy", IMAGES), COLOUR)


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    tmp_path = tmp_path_factory.mktemp("contents")
    np.savez(tmp_path / "whole.npz", images=IMAGES)
    npz = (tmp_path / "whole.npz").read_bytes()
    np.savez(tmp_path / "two.npz", real=IMAGES, fake=IMAGES)
    np.savez(tmp_path / "none.npz")
    np.savez(tmp_path / "objects.npz", images=np.array([1, None], dtype=object))
    torch.save(torch.from_numpy(IMAGES), tmp_path / "torch.npz")
    with zipfile.ZipFile(tmp_path / "zip.npz", "w") as archive:
        archive.writestr("1.png", b"x")
    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "twice.npz", "w") as archive:
        warnings.simplefilter("ignore")  # Python warns of the second name
        archive.writestr("x.npy", npy_header((0,)))
        archive.writestr("x.npy", npy_header((0,)))
    with zipfile.ZipFile(tmp_path / "bomb npz.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", npy_header((10**8,)) + bytes(10**8))
    archives = {path.stem: path.read_bytes() for path in tmp_path.glob("*.npz")}
    npy = save(tmp_path / "a.npy", IMAGES).read_bytes()
    whole = idx(IMAGES[:, 0])
    zeros = (0x803).to_bytes(4, "big") + b"".join(n.to_bytes(4, "big") for n in (100, 1000, 1000))
    endless = (0x803).to_bytes(4, "big") + b"".join(n.to_bytes(4, "big") for n in (2**32 - 1,) * 3)
    return archives | {
        "cut npz": npz[:-40],
        "changed npz": npz[:150] + bytes(50) + npz[200:],
        "cut npy": npy[:-40],
        "cut header": npy[:20],
        "cut idx": whole[:-1],
        "cut gzip": gzip.compress(whole)[:-20],
        "labels": idx(np.arange(5, dtype=np.uint8)),
        "empty idx": idx(IMAGES[:0, 0]),
        "other idx": idx(IMAGES[:, 0, :, 1:]),
        "pickle": pickle.dumps([1, 2]),
        "appended": npy + npy,
        "lying npy": npy_header((10**12,)) + npy[-120:],
        "bomb gzip": gzip.compress(zeros + bytes(10**8), 1),
        "lying gzip": gzip.compress(endless),
        "text": b"1 2 3",
        "nothing": b"",
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("two", r"has the arrays real, fake\. Give a file with an array `images`"),
        ("none", "is a zip file without arrays"),
        ("twice", "has two arrays of the same name"),
        ("appended", r"has 248 bytes after its first array\. These bytes may be further"),
        (
            "bomb npz",
            r"unpacks to 0\.1 GB or more, but the limit is 10\.0 MB\. If you trust the file",
        ),
        (
            "bomb gzip",
            r"unpacks to 0\.1 GB or more, but the limit is 10\.0 MB\. If you trust the file",
        ),
        ("lying gzip", r"is damaged: its header announces 79,228,1.* GB\. Get the file again"),
        ("lying npy", r"is truncated: its array needs 1,000,000,000,000 bytes, but 120 follow"),
        ("objects", r"holds pickled Python objects\. Loading pickled objects can run any"),
        ("torch", r"holds pickled Python objects\. Loading pickled objects can run any"),
        ("pickle", r"holds pickled Python objects\. Loading pickled objects can run any"),
        ("zip", "is a zip file without arrays"),
        ("cut npz", r"is truncated or damaged \("),
        ("changed npz", r"is truncated or damaged \("),
        ("cut npy", r"is truncated: its array needs 120 bytes, but 80 follow the header"),
        ("cut header", r"is truncated or damaged \("),
        ("cut idx", "the header announces 5 x 4 x 6 bytes, but 119 follow"),
        ("cut gzip", "the gzip stream is truncated or damaged"),
        ("labels", r"its magic number is 2049 \(2051 expected\)"),
        ("empty idx", "contains no image: its array has shape 0 x 4 x 6"),
        ("other idx", "have shape N x 4 x 5, but they must have N x 1 x 4 x 6"),
        ("text", r"has an unknown format\. Give an \.npz or \.npy file"),
        ("nothing", r"is empty\. Give an \.npz or \.npy file"),
    ],
)
def test_unsuitable_files_are_refused(
    tmp_path: Path,
    contents: dict[str, bytes],
    name: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, "0.01")
    path = tmp_path / "samples"
    path.write_bytes(contents[name])
    with pytest.raises(DataError, match=f"^{path}:? .*{message}") as error:
        read_samples(path, GREY)
    assert "\n" not in str(error.value)


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    objects = np.array([Trap()], dtype=object)
    np.savez(tmp_path / "a.npz", images=objects)
    np.save(tmp_path / "a.npy", objects)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(Trap()))
    for name in ("a.npz", "a.npy", "a.pkl"):
        with pytest.raises(DataError, match="pickled"):
            read_samples(tmp_path / name, GREY)
    assert not (tmp_path / "sprung").exists()
    np.load(tmp_path / "a.npy", allow_pickle=True)
    assert (tmp_path / "sprung").exists()  # unpickling springs the trap


def test_unsuitable_folders_are_refused(tmp_path: Path) -> None:
    def fails(message: str) -> None:
        with pytest.raises(DataError, match=message):
            read_samples(tmp_path / "samples", GREY)

    folder = tmp_path / "samples"
    fails(f"{folder} cannot be read .No such file or directory.. Give an .npz or .npy file, a fol")
    folder.mkdir()
    fails(r"samples and its folders contain no image \(.png, .jpg, .jpeg, .pgm")
    save_png(folder / "a/0.png", IMAGES[0])
    save_png(folder / "1.png", IMAGES[0])
    fails(r"has both images \(1.png\) and folders of images \(a\)")
    (folder / "1.png").unlink()
    save_png(folder / "b/1.png", IMAGES[0, :, :3])
    fails(r"b/1.png: the images have shape 1 x 3 x 6, but they must have 1 x 4 x 6 ")
    save_png(folder / "b/1.png", COLOURS[0])
    fails(r"b/1.png: .* shape 3 x 4 x 6, .* colour images: convert them to grey")
    (folder / "b/1.png").write_bytes((folder / "a/0.png").read_bytes()[:-30])
    fails(r"b/1.png cannot be decoded as an image")
    (folder / "b/1.png").unlink()
    assert len(read_samples(folder, GREY).images) == 1


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param((50, b"\xff\xff\xff\xff"), id="length of a chunk"),
        pytest.param((0, b"P5\n4 6 x\n"), id="header of a PGM"),
        pytest.param((16, b"\x7f\xff\xff\xff"), id="width"),
    ],
)
def test_a_damaged_image_gives_one_line_for_every_pillow_error(
    tmp_path: Path, damage: tuple[int, bytes]
) -> None:
    save_png(tmp_path / "0.png", np.arange(4 * 6, dtype=np.uint8).reshape(GREY))
    content = bytearray((tmp_path / "0.png").read_bytes())
    start, change = damage
    content[start : start + len(change)] = change
    (tmp_path / "0.png").write_bytes(content)
    with pytest.raises(DataError, match=r"0\.png cannot be decoded as an image \(.*Delete or"):
        read_samples(tmp_path, GREY)


def test_pipes_and_devices_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match=r"pipe is a named pipe, which is never opened"):
        read_samples(tmp_path / "pipe", GREY)
    with pytest.raises(DataError, match="/dev/zero is a device, which is never opened"):
        read_samples(Path("/dev/zero"), GREY)
    folder = tmp_path / "folder"
    save_png(folder / "0.png", IMAGES[0])
    os.mkfifo(folder / "b.png")
    samples = read_samples(folder, GREY)
    assert len(samples.images) == 1
    assert samples.remarks == (f"{folder}: left out: b.png is a named pipe.",)


def test_files_that_are_left_out_are_named_and_counted(tmp_path: Path) -> None:
    for number, image in enumerate(IMAGES):
        save_png(tmp_path / f"{number}.png", image)
        save_png(tmp_path / f"a/b/{number}.png", image)
    (tmp_path / "notes").write_text("x")
    samples = read_samples(tmp_path, GREY)
    assert len(samples.images) == 5
    assert samples.remarks == (
        f"{tmp_path}: 6 files were left out: 5 (.png in a/b), 1 (no suffix). Only image files are "
        "read, and only in the expected folders.",
    )


def test_jpeg_files_get_a_remark(tmp_path: Path) -> None:
    Image.fromarray(IMAGES[0, 0]).save(tmp_path / "0.png", "JPEG")  # the content decides
    save_png(tmp_path / "1.png", IMAGES[1])
    (remark,) = read_samples(tmp_path, GREY).remarks
    assert remark.startswith(f"{tmp_path}: 1 of 2 images are JPEG files. JPEG artefacts")


def test_dark_images_of_every_format_are_refused(tmp_path: Path) -> None:
    dark = (IMAGES > 100).astype(np.uint8)
    save_png(tmp_path / "folder/0.png", dark[0])
    (tmp_path / "idx").write_bytes(idx(dark[:, 0]))
    save(tmp_path / "a.npy", dark)
    for path in tmp_path.iterdir():
        with pytest.raises(DataError, match=f"{path}: the brightest value is 1 of 255"):
            read_samples(path, GREY)
    black = save(tmp_path / "black.npy", np.zeros_like(dark))  # a model may draw only black
    assert not read_samples(black, GREY).images.any()


@pytest.mark.parametrize(
    "images",
    [
        IMAGES,
        IMAGES[:, 0],
        IMAGES.transpose(0, 2, 3, 1),
        torch.from_numpy(IMAGES),
        IMAGES / 255,
        torch.from_numpy(IMAGES / 255),
        (torch.from_numpy(IMAGES) / 255).requires_grad_(),
    ],
    ids=["uint8", "no channel", "channel last", "tensor", "float64", "float64 tensor", "gradient"],
)
def test_images_in_memory_are_taken_like_files(images: Any) -> None:
    assert np.array_equal(take_samples(images, GREY).images.numpy(), IMAGES)


def test_taken_images_are_a_copy() -> None:
    images = IMAGES.copy()
    taken = take_samples(images, GREY).images
    images[:] = 0
    assert np.array_equal(taken.numpy(), IMAGES)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([1, 2], r"images is of type list\. Give a NumPy array, a torch tensor, or a path\."),
        (COLOURS, "images: the images have shape N x 3 x 4 x 6, but they must have N x 1 x 4 x 6"),
        (1.0 * IMAGES, "images: every value must lie in .* If their scale is 0 to 255"),
        (IMAGES.astype(int), "images has type int64"),
        (np.minimum(IMAGES, 1), "images: the brightest value is 1 of 255"),
        (torch.zeros(0, *GREY), "images contains no image"),
    ],
)
def test_wrong_images_in_memory_are_refused(images: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        take_samples(images, GREY)

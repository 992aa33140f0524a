"""Photos of people: archives and folders give the same data, and faults give one-line messages."""

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import _lfw

from conftest import ROOT
from ganvae.config import DataConfig
from ganvae.core.errors import ConfigError, DataError
from ganvae.data.datasets import lfw
from ganvae.data.source import Source
from ganvae.data.splits import load_source
from toy_faces import jpeg, photos, toy_face, write_archive, write_lfw, write_tree

PEOPLE = {"Cy_Young": 2, "Ada_Byron": 3, "Bo_Li": 1}
PHOTO = jpeg(toy_face(0, 0))


def load(directory: Path, size: int | None = None, channels: int | None = None) -> Source:
    values = {"dataset": "lfw", "layout": "people", "directory": str(directory), "split_seed": 0}
    sizes = {"train_size": None, "validation_size": 1, "test_size": 1}
    return load_source(
        DataConfig.model_validate({**values, **sizes, "size": size, "channels": channels})
    )


def contents(directory: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in directory.rglob("*")}


def assert_equal(source: Source, other: Source) -> None:
    assert np.array_equal(source.train.images, other.train.images)
    assert np.array_equal(source.train.labels, other.train.labels)
    assert source.classes == other.classes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw"


def test_people_are_classes_and_groups_in_sorted_order(folder: Path) -> None:
    write_lfw(folder / "lfw.tgz", PEOPLE)
    source = load(folder)
    assert source.classes == ("Ada_Byron", "Bo_Li", "Cy_Young")
    assert source.train.labels.tolist() == [0, 0, 0, 1, 2, 2]
    assert source.groups is not None
    assert np.array_equal(source.groups, source.train.labels)
    assert source.test is None
    assert source.train.images.shape == (6, 1, 32, 32)
    assert len(np.unique(source.train.images, axis=0)) == 6


def test_folders_and_archives_in_any_order_give_the_same_data(tmp_path: Path) -> None:
    nested, packed, bare, backwards = (tmp_path / name for name in ("a/lfw", "b", "c", "d"))
    for path in (packed, backwards):
        path.mkdir()
    write_tree(nested, PEOPLE)
    write_tree(bare, PEOPLE)
    write_lfw(packed / "lfw.tgz", PEOPLE)
    mixed = [(f"./lfw/{name}", content) for name, content in photos(PEOPLE)][::-1]
    others = [("./lfw/pairs.txt", b"Bo_Li 1 2"), ("./lfw/Bo_Li/._Bo_Li_0001.jpg", b"of a Mac")]
    write_archive(backwards / "mine.tar.gz", others + mixed)
    (packed / "README.txt").write_text("not a photo")
    (bare / ".cache").mkdir()
    (bare / ".cache/1.jpg").write_bytes(b"hidden")
    for path in (nested.parent, bare, backwards):
        assert_equal(load(path), load(packed))


def test_a_folder_of_links_is_read(tmp_path: Path, folder: Path) -> None:
    write_tree(tmp_path / "elsewhere", PEOPLE)
    (folder / "lfw").symlink_to(tmp_path / "elsewhere")
    assert_equal(load(folder), load(tmp_path / "elsewhere"))


@pytest.mark.parametrize(
    ("size", "channels", "shape"),
    [(None, None, (1, 32, 32)), (32, 1, (1, 32, 32)), (64, 3, (3, 64, 64)), (8, 3, (3, 8, 8))],
)
def test_size_and_channels_are_as_configured(
    folder: Path, size: int | None, channels: int | None, shape: tuple[int, ...]
) -> None:
    write_lfw(folder / "lfw.tgz", {"Bo_Li": 1})
    assert load(folder, size, channels).train.image_shape == shape


def test_the_face_is_the_central_110_of_250_pixels(folder: Path) -> None:
    face = np.random.default_rng(0).integers(0, 256, (110, 110, 3), dtype=np.uint8)
    photo = np.zeros((250, 310, 3), np.uint8)
    photo[70:180, 100:210] = face
    (folder / "Bo_Li").mkdir()
    Image.fromarray(photo).save(folder / "Bo_Li/1.png")
    colour = load(folder, 110, 3).train.images[0]
    assert np.array_equal(colour, face.transpose(2, 0, 1))
    grey = load(folder, 110, 1).train.images[0, 0]
    assert np.abs(grey - face @ [0.299, 0.587, 0.114]).max() < 1
    small = load(folder, 11, 1).train.images[0, 0].astype(float)
    assert small.std() < grey.std() / 3  # pixels are averaged, not picked


def test_colours_are_kept_and_grey_photos_are_read(folder: Path) -> None:
    for person, mode, colour in (("Ada", "RGB", (250, 20, 60)), ("Bo", "L", 90)):
        (folder / person).mkdir()
        Image.new(mode, (50, 50), colour).save(folder / person / "1.png")
    images = load(folder, 8, 3).train.images
    assert images[0, :, 4, 4].tolist() == [250, 20, 60]
    assert images[1, :, 4, 4].tolist() == [90, 90, 90]


def add_link(archive: tarfile.TarFile, kind: bytes) -> None:
    member = tarfile.TarInfo("lfw/Bo_Li/Bo_Li_0002.jpg")
    member.type, member.linkname = kind, "/etc/passwd"
    archive.addfile(member)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("/tmp/Bo/1.jpg", PHOTO, r"/tmp/Bo/1\.jpg: this path leads out of the archive"),
        ("../Bo/1.jpg", PHOTO, r"\.\./Bo/1\.jpg: this path leads out of the archive"),
        ("lfw/../../x.txt", b"text", r"lfw/\.\./\.\./x\.txt: this path leads out of the archive"),
        ("lfw/Bo/2.jpg", PHOTO[:-400], r"lfw/Bo/2\.jpg cannot be decoded as an image \(.*trunc"),
        ("lfw/Bo/2.jpg", b"<html>", r"lfw/Bo/2\.jpg cannot be decoded .*does not begin like"),
        ("lfw/Bo/2.jpg", b"", r"lfw/Bo/2\.jpg cannot be decoded as an image"),
        ("lfw/2.jpg", PHOTO, r"lfw/2\.jpg is in the wrong place\. Every photo"),
        ("2.jpg", PHOTO, r"2\.jpg is in the wrong place\. Every photo"),
        ("b/Bo/2.jpg", PHOTO, r"b/Bo/2\.jpg is in the wrong place\. Every photo"),
        ("lfw/Bo/a/2.jpg", PHOTO, r"lfw/Bo/a/2\.jpg is in the wrong place\. Every photo"),
    ],
)
@pytest.mark.parametrize("first", [False, True])
def test_unsuitable_archive_members_are_refused(
    tmp_path: Path, folder: Path, name: str, content: bytes, message: str, first: bool
) -> None:
    members = [(f"lfw/{path}", photo) for path, photo in photos(PEOPLE)]
    write_archive(folder / "a.tgz", [(name, content), *members][:: 1 if first else -1])
    before = contents(tmp_path)
    with pytest.raises(DataError, match=rf"a\.tgz: {message}") as error:
        load(folder)
    assert "\n" not in str(error.value)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_an_archive_are_refused(folder: Path, kind: bytes) -> None:
    with tarfile.open(folder / "a.tgz", "w:gz") as archive:
        add_link(archive, kind)
    message = r"a\.tgz: lfw/Bo_Li/Bo_Li_0002\.jpg is a link or a device, but an archive may"
    with pytest.raises(DataError, match=message):
        load(folder)


def test_reading_an_archive_writes_no_file(tmp_path: Path, folder: Path) -> None:
    write_lfw(folder / "lfw.tgz", PEOPLE)
    before = contents(tmp_path)
    load(folder)
    assert contents(tmp_path) == before


def changed(content: bytes, position: int) -> bytes:
    """Flip all bits of one byte."""
    return content[:position] + bytes([content[position] ^ 255]) + content[position + 1 :]


def second_header(tar: bytes) -> int:
    """The position of the second member's header."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return archive.getmembers()[1].offset


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "gzip cut short": lambda tar: gzip.compress(tar)[:-2000],
    "checksum of gzip cut off": lambda tar: gzip.compress(tar)[:-8],
    "byte of gzip changed": lambda tar: changed(gzip.compress(tar), 2000),
    "checksum of gzip changed": lambda tar: changed(gzip.compress(tar), -8),
    "no gzip": lambda tar: tar,
    "no tar": lambda _: gzip.compress(b"text" * 1000),
    "nothing": lambda _: b"",
    "photo cut short": lambda tar: gzip.compress(tar[: second_header(tar) - 600]),
    "cut before a header": lambda tar: gzip.compress(tar[: second_header(tar)]),
    "cut in a header": lambda tar: gzip.compress(tar[: second_header(tar) + 100]),
    "header changed": lambda tar: gzip.compress(changed(tar, second_header(tar) + 3)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_archive_gives_a_one_line_message(folder: Path, damage: str) -> None:
    write_lfw(folder / "a.tgz", PEOPLE)
    whole = gzip.decompress((folder / "a.tgz").read_bytes())
    (folder / "a.tgz").write_bytes(DAMAGE[damage](whole))
    with pytest.raises(
        DataError, match=r"a\.tgz is not readable to its end .*get it again"
    ) as error:
        load(folder)
    assert "\n" not in str(error.value)


def test_the_folder_needs_either_one_archive_or_photos(folder: Path) -> None:
    remedy = rf"Get photos with `ganvae fetch lfw --directory {folder}`, or put an archive"
    with pytest.raises(DataError, match=rf"raw contains no photo of a person\. {remedy}"):
        load(folder)
    write_archive(folder / "a.tgz", [("lfw/README", b"text")])
    with pytest.raises(DataError, match=rf"a\.tgz contains no photo of a person\. {remedy}"):
        load(folder)
    write_lfw(folder / "b.tar.gz", PEOPLE)
    with pytest.raises(DataError, match=r"raw has 2 archives \(a\.tgz, b\.tar\.gz\)"):
        load(folder)
    (folder / "a.tgz").unlink()
    write_tree(folder / "lfw", {"Bo_Li": 1})
    message = r"raw has both an archive \(b\.tar\.gz\) and photos \(lfw/Bo_Li/Bo_Li_0001\.jpg\)"
    with pytest.raises(DataError, match=message):
        load(folder)
    missing = folder / "none"
    with pytest.raises(DataError, match=rf"none does not exist.*fetch lfw --directory {missing}"):
        load(missing)


@pytest.mark.parametrize("stray", ["2.jpg", "lfw/2.jpg", "lfw/Bo_Li/a/2.jpg", "b/Bo_Li/2.jpg"])
def test_a_misplaced_photo_in_folders_is_refused(folder: Path, stray: str) -> None:
    write_tree(folder / "lfw", PEOPLE)
    (folder / stray).parent.mkdir(parents=True, exist_ok=True)
    (folder / stray).write_bytes(PHOTO)
    with pytest.raises(DataError, match=rf"raw: {stray} is in the wrong place\."):
        load(folder)


@pytest.mark.parametrize(
    ("edition", "published"),
    [(None, "FUNNELED_ARCHIVE"), ("funneled", "FUNNELED_ARCHIVE"), ("original", "ARCHIVE")],
)
def test_fetch_downloads_the_files_of_scikit_learn(
    folder: Path, monkeypatch: pytest.MonkeyPatch, edition: str | None, published: str
) -> None:
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr(lfw, "fetch_file", lambda *arguments: calls.append(arguments))
    lfw.DATASET.fetch(folder, edition)
    remote = getattr(_lfw, published)
    assert calls == [([remote.url], remote.filename, remote.checksum, folder)]


def test_fetch_refuses_unknown_editions_and_a_second_archive(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lfw, "fetch_file", lambda *arguments: pytest.fail("it fetched"))
    with pytest.raises(ConfigError, match="edition 'deep' is unknown; choose one of: funneled, or"):
        lfw.DATASET.fetch(folder, "deep")
    write_lfw(folder / "lfw-deepfunneled.tgz", PEOPLE)
    with pytest.raises(DataError, match=r"raw already has lfw-deepfunneled\.tgz, but the"):
        lfw.DATASET.fetch(folder, None)


PUBLISHED = ROOT / "data/raw/lfw"


@pytest.mark.slow
@pytest.mark.skipif(not any(PUBLISHED.glob("*.tgz")), reason="the archive of LFW is missing")
def test_the_published_archive_is_read() -> None:
    source = load(PUBLISHED)
    assert source.train.images.shape == (13_233, 1, 32, 32)
    assert len(source.classes) == 5749
    counts = np.bincount(source.train.labels)
    assert source.classes[int(counts.argmax())] == "George_W_Bush"
    assert counts.max() == 530
    assert int((counts == 1).sum()) == 4069

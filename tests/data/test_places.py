"""The folder of a data set's files: the order of the search, and the messages."""

import re
from pathlib import Path

import pooch
import pytest

from ganvae.core import assets
from ganvae.core.errors import ConfigError, DataError
from ganvae.data.places import VARIABLE, download_folder, find_folder, searched
from ganvae.data.registry import get_dataset

FASHION = get_dataset("fashion-mnist")
RAW = "data/raw/fashion-mnist"


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(assets, "CLONE", tmp_path / "clone")
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path / "clone"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of a program that was installed from a wheel."""
    monkeypatch.setattr(assets, "CLONE", None)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    return tmp_path / "cache/ganvae"


@pytest.fixture
def shared(tmp_path: Path, clone: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in GANVAE_DATA."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "shared"))
    return tmp_path / "shared"


def put_file(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "images").touch()


def test_the_search_goes_from_the_option_to_the_variable_to_the_clone(
    clone: Path, shared: Path
) -> None:
    put_file(clone / RAW)
    assert find_folder(FASHION, None) == clone / RAW
    (shared / "fashion-mnist").mkdir(parents=True)  # a failed download leaves an empty folder
    assert find_folder(FASHION, None) == clone / RAW
    put_file(shared / "fashion-mnist")
    assert find_folder(FASHION, None) == shared / "fashion-mnist"
    assert find_folder(FASHION, Path("mine")) == Path("mine")
    put_file(shared / "mnist")
    assert find_folder(get_dataset("stacked-mnist"), None) == shared / "mnist"


def test_without_a_clone_the_cache_is_searched(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert searched(FASHION) == [cache / "fashion-mnist"]
    assert download_folder(FASHION, None) == cache / "fashion-mnist"
    monkeypatch.setenv(VARIABLE, "~/images")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert searched(FASHION) == [tmp_path / "images/fashion-mnist", cache / "fashion-mnist"]


def test_downloads_go_to_the_first_searched_folder(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert download_folder(FASHION, None) == clone / RAW
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert download_folder(FASHION, None) == tmp_path / "fashion-mnist"
    assert download_folder(FASHION, Path("mine")) == Path("mine")


def test_the_message_names_the_searched_folders_and_the_remedies(clone: Path, shared: Path) -> None:
    message = (
        f"the files of fashion-mnist were not found. Searched: {shared}/fashion-mnist, "
        f"{clone}/{RAW}. Run `ganvae fetch fashion-mnist`, give the folder of the files with "
        "--data, or set GANVAE_DATA to the parent of the folder."
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        find_folder(FASHION, None)


def test_images_of_the_user_cannot_be_fetched(clone: Path) -> None:
    with pytest.raises(DataError, match=r"folders\. Give the folder of your images with --data"):
        find_folder(get_dataset("folders"), None)


def test_the_home_of_an_unknown_user_is_one_line(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "~nobody-has-this-name/data")
    with pytest.raises(ConfigError, match="no user has this name"):
        searched(FASHION)

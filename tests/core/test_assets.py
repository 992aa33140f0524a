"""The program's own files are read from the clone, or from the installed package."""

from pathlib import Path

from conftest import ROOT
from ganvae.config.profiles import NOT_PUBLISHED
from ganvae.core import assets


def test_this_clone_is_found() -> None:
    assert assets.CLONE == assets.ROOT == ROOT


def test_an_installed_package_has_no_clone(tmp_path: Path) -> None:
    package = tmp_path / "src/ganvae"
    package.mkdir(parents=True)
    assert assets.find_clone(package) == tmp_path
    (package / "assets").mkdir()
    assert assets.find_clone(package) is None


def test_the_build_leaves_out_the_profiles_without_published_results() -> None:
    assert f"NOT_PUBLISHED = {NOT_PUBLISHED}".replace("'", '"') in (ROOT / "setup.py").read_text()

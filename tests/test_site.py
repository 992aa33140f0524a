"""The site that `make docs` builds is complete, and is read without a network."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request

from browser import chromium
from conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site. A link that leads nowhere fails the build."""
    folder = tmp_path_factory.mktemp("site")
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    command = [*mkdocs, "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture
def page(site: Path) -> Iterator[Page]:
    """A page without a network. The test fails if it asks for anything outside the site."""
    outside: list[str] = []

    def inspect(request: Request) -> None:
        if not request.url.startswith(site.as_uri()):
            outside.append(request.url)

    with chromium() as browser:
        opened = browser.new_context(offline=True).new_page()
        opened.on("request", inspect)
        opened.on("requestfailed", lambda request: outside.append(request.url))
        opened.on("pageerror", lambda error: outside.append(str(error)))
        yield opened
    assert outside == []


def test_every_page_of_the_repository_is_in_the_site(site: Path) -> None:
    assert (site / "index.html").exists()
    command = ["git", "ls-files", "README.md", "CHANGES.md", "docs/*.md", "results/*.md"]
    pages = subprocess.check_output(command, cwd=ROOT, text=True).splitlines()
    built = {path.relative_to(site) for path in site.rglob("*.html")}
    missing = [page for page in pages if site_path(page) not in built]
    assert missing == []


def site_path(page: str) -> Path:
    """The path in the site of a page of the repository."""
    path = Path(page)
    return path.with_name("index.html") if path.name == "README.md" else path.with_suffix(".html")


def test_a_reader_finds_a_page_by_its_words(page: Page, site: Path) -> None:
    page.goto((site / "index.html").as_uri())
    page.locator(".md-search__input").press_sequentially("posterior collapse", delay=20)
    page.locator(".md-search-result__item a").first.click()
    page.wait_for_url("**/docs/*.html*")
    assert "collapse" in page.locator("article").inner_text()


def test_formulas_are_shown_as_formulas(page: Page, site: Path) -> None:
    page.goto((site / "docs/models.html").as_uri())
    shown = page.locator("article").inner_text()
    assert page.locator("article math").count() > 100
    assert "\\" not in shown
    assert not page.locator("article math", has_text="&").all()


def test_the_notebook_is_a_page(page: Page, site: Path) -> None:
    page.goto((site / "index.html").as_uri())
    page.get_by_role("link", name="a notebook", exact=True).click()
    assert "ganvae.sample(" in page.locator("article").inner_text()

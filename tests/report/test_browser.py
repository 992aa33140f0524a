"""The page in a browser: loading, sorting, enlarging, printing, contrast and width."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Route

from browser import chromium
from ganvae.report.page import write_page
from toy_report import draw_pictures, report, usual, write_sweep


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    results = tmp_path_factory.mktemp("results")
    draw_pictures(results, usual())
    sweeps = [write_sweep(results, study=name) for name in ("toy", "other")]
    write_page(results / "report.html", report(results, usual(), studies=sweeps, root=results))
    return (results / "report.html").as_uri()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The opened page. The test fails if the page makes a request or reports an error."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("requestfailed", lambda request: complaints.append(f"failed: {request.url[:80]}"))

    def inspect(route: Route, request: Request) -> None:
        if request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            complaints.append(f"requested {request.url}")
            route.abort()

    opened.route("**/*", inspect)
    opened.goto(address)
    yield opened
    assert complaints == []
    opened.close()


def test_the_fixture_notices_requests(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text("<img src='http://127.0.0.1:9/x.png'>")
    opened = browser.new_page()
    requests: list[str] = []
    opened.route("**/*", lambda route, request: (requests.append(request.url), route.continue_()))
    opened.goto((tmp_path / "x.html").as_uri())
    opened.close()
    assert "http://127.0.0.1:9/x.png" in requests


def test_every_picture_loads(page: Page) -> None:
    pictures = page.locator("main img")
    assert pictures.count() > 30
    for picture in pictures.all():
        picture.evaluate("image => image.decode()")
        assert picture.evaluate("image => image.naturalWidth") > 0


def variants(table: Locator) -> list[str]:
    """The names in a table's first column, from top to bottom."""
    names = table.locator("tbody th").all_inner_texts()
    return [re.split(r"[\s:]", name.strip())[0] for name in names]


@pytest.fixture
def leaderboard(page: Page) -> Locator:
    return page.locator("#leaderboard table.sortable").first


def test_a_click_on_a_title_sorts_and_a_second_click_reverses(leaderboard: Locator) -> None:
    best_first = ["floor", "gan-one", "vae-one", "gan-wild", "mix-one", "ceiling", "vae-lost"]
    fid = leaderboard.get_by_role("columnheader", name="FID")
    assert variants(leaderboard) == best_first
    assert fid.get_attribute("aria-sort") == "ascending"
    fid.get_by_role("button").click()
    # 10.2 lies between 5.2 and 22.1 only as a number. Variants without a score stay last.
    reversed_ = ["ceiling", "mix-one", "gan-wild", "vae-one", "gan-one", "floor", "vae-lost"]
    assert variants(leaderboard) == reversed_
    assert fid.get_attribute("aria-sort") == "descending"
    fid.get_by_role("button").click()
    assert variants(leaderboard) == best_first


def test_a_score_whose_better_direction_is_up_sorts_highest_first(leaderboard: Locator) -> None:
    score = leaderboard.get_by_role("columnheader", name="IS")
    score.get_by_role("button").click()
    assert score.get_attribute("aria-sort") == "descending"
    assert variants(leaderboard)[:5] == ["floor", "gan-one", "vae-one", "mix-one", "gan-wild"]
    assert leaderboard.locator("[aria-sort]").count() == 1


def test_variants_can_be_sorted_by_name_with_the_keyboard(page: Page, leaderboard: Locator) -> None:
    leaderboard.get_by_role("button", name="variant").focus()
    page.keyboard.press("Enter")
    names = variants(leaderboard)
    assert names == sorted(names)
    assert names[0] == "ceiling"
    assert names[2] == "gan-one"


def test_a_click_enlarges_a_picture_and_escape_closes_it(page: Page) -> None:
    dialog = page.locator("dialog#zoom")
    assert not dialog.is_visible()
    shown = page.locator(".model button.zoom").first
    shown.click()
    assert dialog.is_visible()
    enlarged = dialog.locator("img")
    assert enlarged.get_attribute("src") == shown.locator("img").first.get_attribute("src")
    assert enlarged.get_attribute("alt") == shown.locator("img").first.get_attribute("alt")
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    shown.click()
    dialog.get_by_role("button", name="Close").click()
    assert not dialog.is_visible()


def test_printing_opens_all_details_and_the_screen_closes_them(page: Page) -> None:
    details = page.locator("details")
    assert details.count() > 10
    assert page.locator("details[open]").count() == 0
    page.emulate_media(media="print")
    for element in details.all():
        assert element.locator("> :not(summary)").first.is_visible()
    assert not page.locator("nav").is_visible()
    assert page.locator("img.still").first.is_visible()
    assert not page.locator("img.film").first.is_visible()
    assert page.pdf()[:5] == b"%PDF-"
    page.emulate_media(media="screen")
    assert page.locator("details[open]").count() == 0


def test_films_stand_still_with_reduced_motion(page: Page) -> None:
    film, still = page.locator("img.film").first, page.locator("img.still").first
    assert film.is_visible()
    assert not still.is_visible()
    page.emulate_media(reduced_motion="reduce")
    assert still.is_visible()
    assert not film.is_visible()


def luminance(colour: str) -> float:
    """Relative luminance of an ``rgb(...)`` colour, in [0, 1] (WCAG 2.2)."""
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(text: str, ground: str) -> float:
    """Contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((luminance(text), luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


TEXTS = (
    "main p",
    ".question",
    ".caveat",
    ".note",
    "main a",
    "summary",
    "td small",
    ".verdict.gan",
    ".verdict.vae",
    ".findings li",
    "nav a",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (luminance(ground) < 0.1) == (scheme == "dark")
    for text in TEXTS:
        colour = page.locator(text).first.evaluate("element => getComputedStyle(element).color")
        assert contrast(colour, ground) >= 4.5, (text, colour)
    for text in page.locator(".plot svg text").all():
        colour = text.evaluate("element => getComputedStyle(element).fill")
        assert contrast(colour, ground) >= 4.5, (text.inner_html(), colour)


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_only_tables_and_figures_scroll_sideways(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach(element => element.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_link_of_the_contents_has_a_target(page: Page) -> None:
    for link in page.locator("nav a").all():
        target = link.get_attribute("href")
        assert target
        assert page.locator(target).count() == 1

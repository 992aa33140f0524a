"""The browser in which tests open pages: Chromium or a compatible browser."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from programs import skip_without

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Open the browser for a block. If it is missing, the test is skipped, or fails in CI."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        skip_without("Chromium", "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()

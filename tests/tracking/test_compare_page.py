"""Test MLflow's page in a browser: scores and samples of a GAN and a VAE side by side."""

import re
from collections.abc import Iterator

import pytest
from mlflow import MlflowClient
from playwright.sync_api import Page, expect
from servers import ganvae_ui
from toy_results import SCORES

from browser import chromium
from ganvae.tracking.recorded import current_runs
from ganvae.tracking.ui import links

pytest_plugins = ["toy_store"]
MILLISECONDS = 120_000


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1600, "height": 3000})
        page.set_default_timeout(MILLISECONDS)
        expect.set_options(timeout=MILLISECONDS)
        yield page


@pytest.mark.slow
def test_the_charts_page_starts_with_fid_and_links_to_gan_and_vae_side_by_side(
    client: MlflowClient, page: Page
) -> None:
    with ganvae_ui() as (address, _):
        (line,) = links(address, current_runs(client))
        page.goto(line.split(": ", 1)[1])
        # MLflow's assistant opens at the first visit and hides the charts.
        page.get_by_role("button", name="Close").click()
        sections = page.get_by_text(re.compile("^(fid|headline|training)$"))
        expect(sections.first).to_have_text("fid")
        with page.expect_popup() as opened:
            page.get_by_role("link", name="gan-0 and vae-0 side by side").click()
        page = opened.value
        for name in ("gan-0", "vae-0"):
            fid = str(SCORES[name]["fid_judge"])
            expect(page.get_by_text(fid, exact=True)).to_be_visible()
        page.get_by_text("samples.png").first.click()
        samples = page.get_by_alt_text("samples.png")
        expect(samples).to_have_count(2)
        for image in samples.all():
            expect(image).to_be_visible()
            image.evaluate("image => image.decode()")
            assert image.evaluate("image => image.naturalWidth") > 0
        assert len({image.get_attribute("src") for image in samples.all()}) == 2

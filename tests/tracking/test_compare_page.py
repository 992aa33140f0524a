"""MLflow's page in a browser: a GAN's and a VAE's scores and samples side by side."""

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
def test_the_compare_page_shows_scores_and_samples_of_both(
    client: MlflowClient, page: Page
) -> None:
    with ganvae_ui() as (address, _):
        [url] = [
            line.split(": ", 1)[1]
            for line in links(address, current_runs(client))
            if line.startswith("gan-0 and vae-0: ")
        ]
        page.goto(url)
        for name in ("gan-0", "vae-0"):
            fid = str(SCORES[name]["fid_judge"])
            expect(page.get_by_text(fid, exact=True)).to_be_visible()
        # MLflow's assistant opens at a first visit and leaves the list of files no room.
        page.get_by_role("button", name="Close").click()
        page.get_by_text("samples.png").first.click()
        samples = page.get_by_alt_text("samples.png")
        expect(samples).to_have_count(2)
        for image in samples.all():
            expect(image).to_be_visible()
            image.evaluate("image => image.decode()")
            assert image.evaluate("image => image.naturalWidth") > 0
        assert len({image.get_attribute("src") for image in samples.all()}) == 2

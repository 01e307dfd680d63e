"""A training in a tab that is kept on the server: a real worker verifies it, and it has a page like all runs."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.charts import drawn, until
from tests.browser.conftest import Open, Site, Watch

WITHIN_MS = 120_000


def test_a_training_is_kept_verified_and_found_again(open_working_page: Open) -> None:
    page = open_working_page(
        "/train?architecture=resnet-8&policy=batchnorm&dataset=digits&epochs=12&train_examples=512"
    )
    page.get_by_role("link", name="Train in this tab").click()
    keep = page.get_by_role("button", name="Keep on the server")
    expect(page.locator('[data-slot="line"]')).to_contain_text("Finished", timeout=WITHIN_MS)
    keep.click()
    kept = page.locator(".tab-kept")
    expect(kept).to_contain_text("which has verified it", timeout=WITHIN_MS)
    expect(keep).to_be_hidden()
    page.reload()
    expect(kept).to_contain_text("which has verified it")
    expect(keep).to_be_hidden()
    page.get_by_role("link", name="Open the run").click()
    page.wait_for_url("**/run?id=*")
    expect(page.locator(".run-title .badge")).to_have_text("Finished")
    expect(page.locator(".browser-note")).to_contain_text("Trained in a browser, verified here")
    expect(page.locator(".browser-note")).to_contain_text(
        re.compile(r"Correct test images: \d+ of 359 .* in the browser, \d+ .* here: ")
    )
    expect(page.locator(".spec")).to_contain_text("a browser; verified on cpu")
    until(drawn(page, "Accuracy"), "plot.data[1].x.length === 13")
    expect(page.get_by_role("link", name="Surgery")).to_be_visible()
    page.goto(re.sub(r"/run\?.*", "/runs", page.url))
    expect(page.locator(".run-name .badge").first).to_have_text("Browser, verified")


def test_a_refusal_stands_beside_the_button_which_can_be_pressed_again(
    open_page: Open, watch: Watch, site: Site
) -> None:
    watch.expected.append("429")
    store = site.store()
    page = open_page("/train?architecture=resnet-8&policy=output&dataset=digits&epochs=1&train_examples=128")
    page.get_by_role("link", name="Train in this tab").click()
    keep = page.get_by_role("button", name="Keep on the server")
    expect(page.locator('[data-slot="line"]')).to_contain_text("Finished", timeout=WITHIN_MS)
    store.switch.turn("drained")
    try:
        keep.click()
        expect(page.get_by_role("alert").filter(has_text="accepts no new runs")).to_be_visible()
    finally:
        store.switch.turn("open")
    keep.click()
    expect(page.locator(".tab-kept")).to_contain_text("It waits for a worker that verifies it.")
    page.get_by_role("link", name="Open the run").click()
    expect(page.locator(".browser-note")).to_contain_text("Trained in a browser, to be verified here")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator(".browser-note")).to_contain_text("Trained in a browser, not verified here")
    store.close()

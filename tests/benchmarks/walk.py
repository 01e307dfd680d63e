"""A first visit with a watch: from the landing page to a moving curve, the comparison, and its link in another browser.

    python -m tests.benchmarks.walk

A new installation, a real worker, two browser profiles. Printed: seconds since the address was entered.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import Site, launch

MOVES = """() => [...document.querySelectorAll(".js-plotly-plot")].some(
  (plot) => plot.data?.some(({ x }) => x?.length >= 2))"""
DONE = "() => document.querySelectorAll('.legend-list .badge[data-state=finished]').length >= 2"
PATIENCE_MS = 600_000


def walk(browser: Browser, url: str) -> None:
    context = browser.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    began = time.monotonic()

    def passed(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)

    page.goto(url)
    pair = page.get_by_role("button", name="Run both and compare")
    pair.wait_for()
    passed("the landing page is there")
    pair.click()
    page.wait_for_url("**/compare?runs=*")
    passed("one click: BatchNorm and its random twin are queued, and compared")
    page.wait_for_function(MOVES)
    passed("the curve moves")
    page.wait_for_function(DONE)
    passed("both are done: " + "; ".join(page.locator(".legend-list > li").all_inner_texts()).replace("\n", " "))
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_timeout(200)
    link = page.evaluate("navigator.clipboard.readText()")
    passed(f"the link is copied: {link.partition('?')[0]}?…")
    friend = browser.new_context().new_page()
    friend.goto(link)
    friend.locator(".legend-list > li").nth(1).wait_for()
    passed("a friend sees the same in a browser of their own")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(Path(folder) / "data", embedded_worker=True)
        site.start()
        browser = launch(playwright)
        try:
            walk(browser, site.url)
        finally:
            browser.close()
            site.stop()


if __name__ == "__main__":
    main()

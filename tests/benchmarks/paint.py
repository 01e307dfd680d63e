"""How soon a page is seen: the first paint, and when the page is ready to be used, in a new browser and in a used one.

    python -m tests.benchmarks.paint                    # the four pages, five turns

Cold: a browser context of its own, whose cache is empty. Warm: the same page once more in that context.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import Site, launch
from tests.browser.puppet import Puppet

FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
KB = "performance.getEntriesByType('resource').reduce((sum, entry) => sum + entry.transferSize, 0) / 1000"


def measured(page: Page, url: str) -> tuple[float, float, float]:
    """Milliseconds to the first paint and until the page is ready; kilobytes that came."""
    page.goto(url)
    page.wait_for_function("document.documentElement.hasAttribute('data-ready')")
    ready = page.evaluate("performance.now()")
    page.wait_for_function(f"{FIRST_PAINT} !== null")
    page.wait_for_load_state("networkidle")
    return page.evaluate(FIRST_PAINT), ready, page.evaluate(KB)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(Path(folder) / "data", embedded_worker=False)
        site.data.mkdir(parents=True)
        store = site.store()
        run = Puppet(store).done()
        site.start()
        browser = launch(playwright)
        try:
            for path in ("/", "/runs", f"/run?id={run}", "/paper"):
                found: dict[str, list[tuple[float, float, float]]] = {"cold": [], "warm": []}
                for _ in range(arguments.turns):
                    context = browser.new_context()
                    page = context.new_page()
                    for state in found:
                        found[state].append(measured(page, site.url + path))
                    context.close()
                for state, rows in found.items():
                    paint, ready, kilobytes = (statistics.median(column) for column in zip(*rows, strict=True))
                    print(
                        f"{path.partition('?')[0]:<8}{state}: first paint {paint:6.0f} ms, ready {ready:6.0f} ms, "
                        f"{kilobytes:6.0f} kB",
                        flush=True,
                    )
        finally:
            browser.close()
            site.stop()
            store.close()


if __name__ == "__main__":
    main()

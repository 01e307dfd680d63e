"""The first load of every page with an empty cache: requests, bytes, paints, the longest task, and what jumps.

    python -m tests.benchmarks.loads

An installation with the shipped examples, in Chromium at 1280 px, and at 390 px for the jumps; then / on two slow
lines. Times depend on the machine; requests, bytes and jumps hardly do. Three minutes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import Site, call, launch
from tests.browser.loading import FAST_3G, SLOW_3G, Load, load

NARROW = {"width": 390, "height": 844}
BUTTON = 'button[data-slot="examples"]:not([disabled])'


def paths(site: Site) -> list[str]:
    """Every page that has something to show."""
    runs = [one["run"]["id"] for one in call(site, "/api/examples")["examples"]]
    single = [f"/run?id={runs[0]}", f"/surgery?run={runs[0]}", f"/compare?runs={','.join(runs)}"]
    return ["/", "/train", *single, "/runs", "/paper", "/findings", "/about", "/room"]


def row(path: str, wide: Load, narrow: Load) -> str:
    name = path.partition("?")[0]
    times = f"{wide.first:5.0f}  {wide.largest:5.0f}  {wide.long:5.0f}"
    return f"{name:10} {wide.requests:8}  {wide.wire / 1000:6.0f}  {times}  {wide.shift:.3f} / {narrow.shift:.3f}"


def measure(browser: Browser, site: Site) -> None:
    print("page       requests      kB    FCP    LCP   task  jumps 1280 / 390 px")
    for path in paths(site):
        url = site.url + path
        print(row(path, load(browser, url), load(browser, url, viewport=NARROW)), flush=True)
    for name, line in (("Fast 3G", FAST_3G), ("400 kbit/s", SLOW_3G)):
        took = load(browser, site.url, line=line, usable=BUTTON)
        print(
            f"/ at {name:10}: text after {took.text / 1000:.1f} s, the button after {(took.usable or 0) / 1000:.1f} s"
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(Path(folder), embedded_worker=True, examples=True)
        site.start()
        try:
            measure(launch(playwright), site)
        finally:
            site.stop()


if __name__ == "__main__":
    main()

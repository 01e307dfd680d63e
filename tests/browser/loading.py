"""The first load of a page, measured in Chromium with an empty cache: bytes, requests, text, shifts and long tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

FAST_3G = (1_600_000, 150)
SLOW_3G = (400_000, 150)
"""Bits a second, and milliseconds of latency."""
WATCH = """
window.seen = {shift: 0, long: 0, largest: 0, shifts: []};
new PerformanceObserver((list) => {
  seen.largest = list.getEntries().at(-1).startTime;
}).observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) {
    seen.shift += entry.value;
    seen.shifts.push([entry.value, entry.sources.map(({node}) => node?.outerHTML?.slice(0, 80) ?? node?.nodeName)]);
  }
}).observe({type: 'layout-shift', buffered: true});
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) seen.long = Math.max(seen.long, entry.duration);
}).observe({type: 'longtask', buffered: true});
"""
TEXT = """() => {
  const seen = (part) => part.checkVisibility({ visibilityProperty: true }) && part.innerText.trim().length > 20;
  return [...document.querySelectorAll("h1, p")].some(seen) && performance.now();
}"""


@dataclass
class Load:
    """What the first load of a page took: `wire` in bytes with headers, times in ms since navigation, `long` in ms;
    `first`, `largest`: of the first and the largest contentful paint; `sideways`: pixels by which the page is wider
    than its window."""

    requests: int
    wire: int
    text: float
    usable: float | None
    shift: float
    long: float
    first: float
    largest: float
    sideways: int
    files: dict[str, int]
    shifts: list[Any]


def load(
    browser: Browser,
    url: str,
    *,
    line: tuple[int, int] | None = None,
    usable: str | None = None,
    settled_ms: int = 2500,
    **context: Any,
) -> Load:
    """Open `url` in a new profile over `line`; `usable`: the selector of what a visitor wants to press."""
    made = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
    try:
        page = made.new_page()
        page.set_default_timeout(120_000)
        page.add_init_script(WATCH)
        return _load(page, url, line, usable, settled_ms)
    finally:
        made.close()


def _load(page: Page, url: str, line: tuple[int, int] | None, usable: str | None, settled_ms: int) -> Load:
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    if line:
        speed = line[0] / 8
        wire.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": line[1], "downloadThroughput": speed, "uploadThroughput": speed},
        )
    names: dict[str, str] = {}
    files: dict[str, int] = {}
    wire.on("Network.requestWillBeSent", lambda event: names.update({event["requestId"]: event["request"]["url"]}))

    def arrived(event: Any) -> None:
        name = names.get(event["requestId"], "?")
        files[name] = files.get(name, 0) + int(event["encodedDataLength"])

    wire.on("Network.loadingFinished", arrived)
    page.goto(url, wait_until="commit")
    text = page.wait_for_function(TEXT, polling=20).json_value()
    pressed = None
    if usable:
        page.wait_for_selector(usable)
        pressed = page.evaluate("performance.now()")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(settled_ms)
    seen = page.evaluate("seen")
    sent = [name for name in names.values() if not name.startswith(("data:", "blob:"))]
    first = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    return Load(
        requests=len(sent),
        wire=sum(files.values()),
        text=text,
        usable=pressed,
        shift=seen["shift"],
        long=seen["long"],
        first=first,
        largest=seen["largest"],
        sideways=page.evaluate("document.documentElement.scrollWidth - innerWidth"),
        files=files,
        shifts=seen["shifts"],
    )

"""The charts of a page, found by the heading of their card, as a reader finds them."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

LIGHT_TEXT = "#535e6b"
"""The colour of a chart's text in the light theme (static/sheets/tokens.css)."""


def chart(page: Page, title: str) -> Locator:
    """The chart under the heading `title`; of a card with several views the one that is shown."""
    card = page.get_by_role("figure").filter(has=page.get_by_role("heading", name=title, exact=True))
    return card.locator(".plot:visible")


def drawn(page: Page, title: str = "Accuracy") -> Locator:
    """The chart once it is drawn, which it is where it can be seen."""
    found = chart(page, title)
    found.scroll_into_view_if_needed()
    expect(found).to_have_attribute("data-drawn", "true")
    return found


def until(plot: Locator, condition: str) -> None:
    """Wait until `condition`, in JavaScript, holds of the chart `plot`."""
    plot.page.wait_for_function(f"plot => {condition}", arg=plot.element_handle())


def kinds(plot: Locator) -> list[str]:
    """The kinds of its traces."""
    found: list[str] = plot.evaluate("plot => plot.data.map(trace => trace.type ?? 'scatter')")
    return found


def zoom(plot: Locator) -> list[float]:
    """Drag over the middle of a chart; the range of its x axis afterwards."""
    before = plot.evaluate("plot => String(plot.layout.xaxis.range)")
    box = plot.locator(".nsewdrag").bounding_box()
    assert box is not None
    mouse, y = plot.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + box["width"] * 0.1, y)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.4, y, steps=8)
    mouse.up()
    until(plot, f"String(plot.layout.xaxis.range) !== '{before}'")
    return x_range(plot)


def x_range(plot: Locator) -> list[float]:
    found: list[float] = plot.evaluate("plot => plot.layout.xaxis.range")
    return found

"""On paper: a run and a comparison take one page each, in light colours, with charts and without controls."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.puppet import Puppet

PAPER = {"format": "A4", "print_background": True, "prefer_css_page_size": True}
DRAWN = "[...document.querySelectorAll('.plot .main-svg:first-child')].map(svg => svg.clientWidth)"
SPY = """() => addEventListener("beforeprint", () => {
  const drawn = [...document.querySelectorAll(".charts .plot .main-svg:first-child")];
  window.printed = [document.body.className, drawn.map((svg) => svg.getAttribute("width"))];
})"""
CONTROLS = "button:visible:not(.term), .site-bar:visible, select:visible, summary:visible"
DARK = "document.body.classList.contains('dark')"


def pages(page: Page) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(**PAPER)))


@pytest.mark.parametrize("dark", [False, True])
def test_a_run_takes_one_page(open_page: Open, puppet: Puppet, dark: bool) -> None:
    page = open_page(f"/run?id={puppet.done()}", color_scheme="dark" if dark else "light")
    expect(page.locator(".plot[data-drawn]").first).to_be_visible()
    page.wait_for_function(f"{DRAWN}.length >= 4")
    page.evaluate(SPY)
    assert pages(page) == 1
    classes, widths = page.evaluate("window.printed")
    assert "dark" not in classes.split() and set(widths) == {"468"}
    assert page.evaluate(DARK) == dark
    page.wait_for_function(f"{DRAWN}.every(width => width !== 468)")  # as wide as their places on the screen again


def test_a_comparison_takes_one_page(open_page: Open, puppet: Puppet) -> None:
    runs = [puppet.done(policy=policy) for policy in ("batchnorm", "random-2", "output")]
    page = open_page(f"/compare?runs={','.join(runs)}")
    expect(page.locator(".overlay .plot[data-drawn]")).to_be_visible()
    assert pages(page) == 1


def test_paper_has_no_controls(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done()}")
    expect(page.get_by_role("link", name="Surgery")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(CONTROLS)).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".spec")).to_be_visible()

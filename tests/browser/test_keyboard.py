"""Everything without a mouse: from the form to a deleted run, with Tab, Enter, Space, Escape and arrows alone.

The focus can be seen at every step, leaves everything that it enters, and goes back to what opened a sheet or a menu.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Watch
from tests.browser.puppet import Puppet
from tests.browser.states import EVALUATED_WITHIN_MS
from tests.browser.train_page import query

STEPS = 150  # no page has more between two things
FEW = 40  # the most from the top of a page to what it is for
MAIN = {
    "/": 'button[data-slot="examples"]',
    "/train": "#launch",
    "/paper": "main summary",
    "/findings": "main details summary",
    "/runs": ".runs-table tbody input",
    "/room": "main form button",
    "/run?id={0}": 'summary[aria-label^="Picture of the chart Accuracy"]',
    "/compare?runs={0},{1}": 'summary[aria-label^="Data of the chart"], summary:has-text("Data")',
}
"""What each page is for, which few stops of the Tab key lead to."""
SEEN = """() => {
  const ringed = (element, part = null) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element, part);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  };
  const now = document.activeElement;
  if (now === document.body || now === null) return null; // the browser's own controls have it
  const box = now.getBoundingClientRect();
  const shown = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  const label = now.closest("label");
  if (shown && (ringed(now) || ringed(now, "::after") || (label && ringed(label)))) return "seen";
  return `cannot be seen: ${now.outerHTML.slice(0, 120)}`;
}"""
"""Whether one sees where the focus is: a ring of its own, of its tile, or of its card."""


def tab_to(page: Page, selector: str, words: str = "") -> None:
    """Press Tab until the focus is on the first such element; on the way it is always seen."""
    wanted = page.locator(selector).filter(has_text=words, visible=True).first
    expect(wanted).to_be_visible()
    for _ in range(STEPS):
        page.keyboard.press("Tab")
        assert page.evaluate(SEEN) in ("seen", None)
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not come to {selector} {words}")


def focus_returned(page: Page, words: str) -> None:
    expect(page.locator(":focus")).to_contain_text(words)


def test_from_the_form_to_a_run_that_was_deleted_and_is_back(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    watch.expected.append("404")  # while it is deleted, the list of pins asks for it in vain
    other = puppet.done(policy="output", name="To compare with")
    page = open_page("/train")
    expect(page.locator('[data-slot="trainable"]')).to_have_text("1,120")
    tab_to(page, "#field-group input:checked")
    page.keyboard.press("ArrowRight")
    expect(page.locator('[data-slot="trainable"]')).to_have_text("650")
    tab_to(page, "#launch")
    page.keyboard.press("Enter")
    page.wait_for_url("**/run?id=*")
    run_id = query(page)["id"]

    tab_to(page, "button", "Share")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Share this page")
    expect(sheet).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    focus_returned(page, "Share")
    tab_to(page, "summary", "Download")
    page.keyboard.press("Enter")
    tab_to(page, ".menu a", "Points as CSV")
    page.keyboard.press("Escape")
    focus_returned(page, "Download")
    tab_to(page, "summary", "More")
    page.keyboard.press("Enter")
    tab_to(page, "button", "Pin")
    page.keyboard.press("Enter")
    expect(page.locator('[data-does="pin"]')).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    focus_returned(page, "More")

    page.keyboard.press("Shift+Tab")
    page.reload()
    tab_to(page, "button", "Cancel")
    page.keyboard.press("Enter")
    expect(page.locator(".run-title .badge")).to_have_text("Cancelled")
    tab_to(page, "summary", "More")
    page.keyboard.press("Enter")
    tab_to(page, "button", "Delete")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs")
    tab_to(page, ".toast button", "Undo")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("was restored")
    restored = page.locator(f'.runs-table a[href$="{run_id}"]')
    expect(restored).to_be_visible()

    page.reload()
    for _ in range(2):
        tab_to(page, ".runs-table input:not(:checked)")
        page.keyboard.press("Space")
    tab_to(page, ".chosen-bar a, .chosen-bar button", "Compare")
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare?runs=*")
    assert other in page.url
    tab_to(page, "summary", "Columns")
    page.keyboard.press("Enter")
    expect(page.locator(".column-picker")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".column-picker")).to_be_hidden()
    focus_returned(page, "Columns")


def test_surgery(open_working_page: Open, trained: str) -> None:
    page = open_working_page(f"/surgery?run={trained}")
    tab_to(page, '.threshold input[type="range"]')
    page.keyboard.press("End")
    expect(page.locator('[data-slot="summary"]')).to_contain_text("are off")
    tab_to(page, ".measure .primary")
    page.keyboard.press("Enter")
    expect(page.locator('[data-slot="result"]:not(.stale)')).to_be_visible(timeout=EVALUATED_WITHIN_MS)
    tab_to(page, ".layer-name")
    page.keyboard.press("Enter")
    tab_to(page, ".feature")
    page.keyboard.press("Space")
    tab_to(page, ".feature-panel button", "Set γ to 0")
    page.keyboard.press("Enter")
    expect(page.locator(".edit-list li")).to_have_count(2)


@pytest.mark.parametrize("width", [1280, 390])
def test_help_is_on_every_screen_and_gives_the_focus_back(open_page: Open, width: int) -> None:
    page = open_page("/runs?text=nothing", viewport={"width": width, "height": 844})
    phone = width < 640
    if phone:
        tab_to(page, ".site-more summary")
        page.keyboard.press("Enter")
        tab_to(page, '.site-more a[href="/about"]')
        tab_to(page, ".site-more button", "Shortcuts and help")
    else:
        tab_to(page, ".site-side button", "?")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    name = "More pages and help" if phone else "Shortcuts and help"
    expect(page.locator(":focus")).to_have_attribute("aria-label", name)


WITHIN = """() => {
  const { left, right } = document.querySelector(".menu[open] > :not(summary)").getBoundingClientRect();
  return left >= 0 && right <= document.documentElement.clientWidth;
}"""


def test_a_menu_closes_itself_and_stays_within_the_window(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done()}", viewport={"width": 390, "height": 844})
    for words in ("Download", "Extend"):
        page.locator("summary", has_text=words).click()
        expect(page.locator(".menu[open]")).to_have_count(1)
        page.wait_for_function(WITHIN)  # the browser tells of the opening a moment later
        assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator("h1").click()
    expect(page.locator(".menu[open]")).to_have_count(0)


@pytest.mark.parametrize("path", MAIN)
def test_few_stops_lead_to_what_a_page_is_for(open_page: Open, puppet: Puppet, path: str) -> None:
    page = open_page(path.format(puppet.done(name="One"), puppet.done(name="Two", policy="output")))
    wanted = page.locator(MAIN[path]).filter(visible=True).first
    expect(wanted).to_be_visible()
    for _ in range(FEW):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{FEW} stops do not lead to {MAIN[path]} of {path}")


def test_the_layers_of_surgery_are_one_stop(open_working_page: Open, trained: str) -> None:
    page = open_working_page(f"/surgery?run={trained}")
    layers = page.locator(".layer-name")
    expect(layers.first).to_have_attribute("aria-current", "true")
    tab_to(page, ".layer-name")
    page.keyboard.press("ArrowDown")
    expect(layers.nth(1)).to_be_focused()
    expect(layers.nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("End")
    expect(layers.last).to_be_focused()
    page.keyboard.press("ArrowDown")  # there is no next one
    expect(layers.last).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".feature").first).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Home")
    expect(layers.first).to_be_focused()

"""The tab tells how far a run is, also while nobody looks."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.puppet import Puppet

HIDE = """hidden => {
  Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
  document.dispatchEvent(new Event('visibilitychange'));
}"""
SOON = """
const real = setTimeout;
window.setTimeout = (act, ms, ...rest) => real(act, ms >= 15000 ? 300 : ms, ...rest);
"""
"""The 15 seconds between two looks of a hidden page are 0.3, so that the test need not wait."""
NOTES = """
window.notes = [];
window.Notification = class extends EventTarget {
  static permission = 'default';
  static async requestPermission() { return (Notification.permission = 'granted'); }
  constructor(title, {body}) { super(); notes.push([title, body]); }
};
"""


def icon(page: Page) -> str:
    found: str = page.evaluate("document.querySelector('link[rel=icon]').href")
    return found


def test_title_and_icon_of_a_hidden_tab_go_on_and_tell_the_end(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start(name="Far away")
    puppet.advance(run_id, 0.25)
    page = open_page("/about")
    page.add_init_script(SOON)
    page.add_init_script(NOTES)
    open_page(f"/run?id={run_id}", page=page)
    expect(page).to_have_title("25% · Far away · OnlyBN")
    assert icon(page).startswith("data:image/svg+xml")
    notify = page.get_by_role("button", name="Notify me when it is done")
    notify.click()
    expect(page.get_by_role("button", name="You will be notified")).to_have_attribute("aria-pressed", "true")
    page.evaluate(HIDE, True)
    puppet.advance(run_id, 0.5)
    expect(page).to_have_title("50% · Far away · OnlyBN")
    puppet.finish(run_id)
    expect(page).to_have_title("✓ Far away · OnlyBN")
    assert icon(page).endswith("/static/favicon.svg")
    ((title, body),) = page.evaluate("notes")
    assert title == "Far away" and re.fullmatch(r"test accuracy \d+\.\d%", body)
    page.evaluate(HIDE, False)
    expect(page).to_have_title("Far away · OnlyBN")


def test_a_hidden_page_of_what_is_over_asks_nothing(open_page: Open, puppet: Puppet) -> None:
    page = open_page("/about")
    page.add_init_script(SOON)
    open_page(f"/run?id={puppet.done(name='Over')}", page=page)
    expect(page).to_have_title("Over · OnlyBN")
    page.wait_for_load_state("networkidle")
    page.evaluate(HIDE, True)
    page.wait_for_timeout(1000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(1500)
    assert not asked


def test_on_a_phone_the_header_has_the_logo_the_page_and_a_menu(open_page: Open) -> None:
    page = open_page("/runs", viewport={"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    pages = page.get_by_role("navigation", name="Pages").get_by_role("link")
    expect(pages).to_have_text(["Runs"])
    page.locator(".site-more summary").click()
    page.locator(".site-more").get_by_role("link", name="Findings").click()
    page.wait_for_url("**/findings")


def test_a_skip_link_leads_past_the_header(open_page: Open) -> None:
    for path, title in (("/", None), ("/runs", "Runs"), ("/about", None)):
        page = open_page(path)
        expect(page.locator("h1").first).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("h1:focus")).to_have_count(1)
        if title:
            expect(page.locator("h1:focus")).to_have_text(title)


def test_the_list_says_how_many_features_of_a_running_run_are_disabled(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start(name="Dying features")
    page = open_page("/runs?text=Dying+features")
    heads = page.get_by_role("table").get_by_role("columnheader")
    row = page.get_by_role("row", name="Dying features").locator(":scope > *")
    expect(heads.filter(has_text="Disabled")).to_be_visible()
    disabled = row.nth(heads.all_inner_texts().index("Disabled"))
    expect(disabled).to_have_text("0.0%")
    puppet.advance(run_id, 0.5)
    expect(disabled).to_have_text(re.compile(r"^[1-9]\d*(\.\d)?%$"))

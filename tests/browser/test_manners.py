"""Manners: what was deleted comes back, and a page does not mind what the browser has seen before."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Open, Site, Watch
from tests.browser.puppet import Puppet
from tests.browser.states import settle
from tests.browser.waits import still


def test_a_deleted_run_comes_back(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    watch.expected.append("404")
    run_id, token = puppet.start(name="Deleted by mistake")
    puppet.finish(run_id)
    page = open_page(f"/run?id={run_id}")
    delete = page.get_by_role("button", name="Delete")
    expect(page.get_by_role("heading", name="Deleted by mistake")).to_be_visible()
    page.locator("summary", has_text="More").click()
    expect(page.get_by_role("button", name="Copy command")).to_be_visible()
    expect(delete).to_be_hidden()
    page.evaluate("([id, token]) => localStorage.setItem('onlybn.owner.' + id, token)", [run_id, token])
    page.reload()
    page.locator("summary", has_text="More").click()
    delete.click()
    page.wait_for_url("**/runs")
    expect(page.get_by_role("status").filter(has_text="was deleted")).to_be_visible()
    assert puppet.store.runs.get(run_id) is None
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status").filter(has_text="was restored")).to_be_visible()
    expect(page.get_by_role("link", name="Deleted by mistake")).to_be_visible()
    address = page.url.replace("/runs", f"/api/runs/{run_id}")
    assert page.request.delete(address, headers={"X-Owner-Token": token}).ok
    open_page(f"/run?id={run_id}", page=page)
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_role("heading", name="Deleted by mistake")).to_be_visible()


def test_a_delete_succeeds_where_the_browser_keeps_nothing(open_page: Open, puppet: Puppet) -> None:
    run_id, token = puppet.start(name="Deleted in a frame")
    puppet.finish(run_id)
    page = open_page(f"/run?id={run_id}")
    page.evaluate("([id, token]) => localStorage.setItem('onlybn.owner.' + id, token)", [run_id, token])
    page.add_init_script("Object.defineProperty(window, 'sessionStorage', {get() { throw new Error('denied') }})")
    page.reload()
    page.locator("summary", has_text="More").click()
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/runs")
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    assert puppet.store.runs.get(run_id) is None


@pytest.mark.parametrize("path", ["/", "/train", "/runs"])
def test_a_tab_that_was_on_another_server_of_this_host(
    browser: Browser, site: Site, working_site: Site, path: str
) -> None:
    """Chromium keeps compiled scripts by their text: a relative import would be looked for on the first server."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(site.url + path)
    expect(page.locator(".site-header")).to_be_visible()
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto(working_site.url + path)
    expect(page.locator(".site-header .server")).to_be_visible()  # which a script has made
    settle(page)
    still(page)
    context.close()
    assert not refused


def test_every_page_has_its_place_in_the_header(open_page: Open, puppet: Puppet) -> None:
    run = puppet.done()
    for path, title, current in (
        (f"/run?id={run}", "Runs", "true"),
        ("/room", "Train", "true"),
        ("/runs", "Runs", "page"),
    ):
        link = open_page(path).get_by_role("navigation", name="Pages").get_by_role("link", name=title, exact=True)
        expect(link).to_have_attribute("aria-current", current)

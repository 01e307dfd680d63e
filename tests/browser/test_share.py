"""Sharing: a page within another page, the sheet with link and code, also where the clipboard is forbidden."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Watch
from tests.browser.puppet import Puppet


def embed(open_page: Open, path: str, page: Page | None = None) -> Page:
    """Another page of the site that has `path` in a frame without the clipboard."""
    page = open_page("/runs?text=nothing", page=page)
    page.evaluate(
        """path => {
            const frame = document.createElement('iframe');
            Object.assign(frame, { src: path, allow: "clipboard-write 'none'", width: 900, height: 700 });
            document.body.replaceChildren(frame);
        }""",
        path,
    )
    return page


@pytest.mark.parametrize("kind", ["run", "runs", "paper"])
def test_an_embedded_page_has_no_chrome_and_its_links_leave_the_frame(
    open_page: Open, puppet: Puppet, kind: str
) -> None:
    run_id = puppet.done()
    path, link = {
        "run": (f"/run?id={run_id}", ".spec a, .frame-bar a"),
        "runs": (f"/runs?compare={run_id}", ".runs-table a"),
        "paper": ("/paper", ".frame-bar a"),
    }[kind]
    joint = "&" if "?" in path else "?"
    page = embed(open_page, f"{path}{joint}embed=1&theme=dark")
    frame = page.frame_locator("iframe")
    expect(frame.locator("h1").first).to_be_visible()
    expect(frame.get_by_role("link", name="Open in OnlyBN")).to_be_visible()
    expect(frame.locator("body.dark")).to_have_count(1)
    assert not frame.locator(".site-header, .site-footer, [aria-haspopup=dialog]").locator("visible=true").count()
    with page.context.expect_page() as opened:
        frame.locator(link).first.click()
    assert "embed=1" not in opened.value.url and opened.value.url.startswith(page.url.split("/runs")[0])
    assert frame.locator("h1").first.is_visible(), "the frame stays where it is"


def test_a_view_in_a_frame_stays_one(open_page: Open, puppet: Puppet) -> None:
    run_id = puppet.done()
    page = open_page("/runs")
    page.goto(page.url + f"?compare={run_id}&embed=1&theme=light")
    page.get_by_label("Find by name or id").fill(run_id)
    page.wait_for_function("id => location.search.includes('text=' + id)", arg=run_id)
    assert "embed=1&theme=light" in page.url


def test_the_sheet_works_where_the_clipboard_is_forbidden(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    watch.expected.append("Clipboard API")
    run_id = puppet.done(name="To share")
    page = embed(open_page, f"/run?id={run_id}")
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="Share").click()
    sheet = frame.get_by_role("dialog", name="Share this page")
    link = sheet.get_by_label("Link", exact=True)
    expect(link).to_have_value(f"{page.url.split('/runs')[0]}/run?id={run_id}")
    expect(link).to_be_focused()
    code = sheet.get_by_label("Code for your page")
    source = f'src="{link.input_value()}&amp;embed=1"'
    assert code.input_value().startswith(f'<iframe {source} title="To share · OnlyBN" ')
    sheet.get_by_label("Theme of the embedded page").select_option("dark")
    assert "&amp;theme=dark" in code.input_value()
    inner = page.frames[1]
    inner.evaluate("document.execCommand = () => false")
    sheet.get_by_role("button", name="Copy link").click()
    field = sheet.get_by_label("Copy this by hand")
    expect(field).to_be_focused()
    assert inner.evaluate("document.activeElement.selectionEnd") == len(link.input_value())
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sheets_have_no_obstacle(open_page: Open, puppet: Puppet, theme: str) -> None:
    page = open_page(f"/run?id={puppet.done()}", color_scheme=theme, viewport={"width": 390, "height": 844})
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert not Axe().run(page).response["violations"]
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Share", exact=True)).to_be_focused()
    page.evaluate("import('/static/help/keys.js').then((keys) => keys.sheet())")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert not Axe().run(page).response["violations"]
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_card_of_a_link_is_there_for_those_who_run_no_scripts(open_page: Open, puppet: Puppet) -> None:
    run_id = puppet.done(name="Shown elsewhere")
    page = open_page("/runs?text=nothing")
    html = page.request.get(page.url.replace("/runs?text=nothing", f"/run?id={run_id}")).text()
    assert (
        html.count('property="og:title" content="Shown elsewhere"') == 1
        and "Gradio" not in html.partition("<style>")[0]
    )
    image = page.request.get(html.partition('og:image" content="')[2].partition('"')[0])
    assert image.ok and image.body().startswith(b"\x89PNG")

"""Sharing: a page within another page, the sheet with link and code, also where the clipboard is forbidden."""

from __future__ import annotations

from html import unescape
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from app.pages import table
from tests.browser.conftest import Open, Watch
from tests.browser.puppet import Puppet
from tests.browser.test_surgery import with_capsule
from tests.browser.train_page import depth


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


PAGES = [page.name for page in table.PAGES.values() if page.name != "admin"]
"""All pages but one that no frame shows, which `test_admin` looks at."""


def path_of(kind: str, puppet: Puppet) -> str:
    """The address of a page that has something to show."""
    if kind == "surgery":
        return f"/surgery?run={with_capsule(puppet)}&eps=0.5"
    run_id = puppet.done() if kind in ("run", "runs", "compare") else ""
    return {
        "start": "/",
        "train": "/train?epochs=7",
        "run": f"/run?id={run_id}",
        "runs": f"/runs?compare={run_id}",
        "compare": f"/compare?runs={run_id}&metric=loss&group=policy,epochs",
    }.get(kind, f"/{kind}")


@pytest.mark.parametrize("kind", PAGES)
def test_every_page_is_shared_by_its_link_and_in_a_frame(open_page: Open, puppet: Puppet, kind: str) -> None:
    path = path_of(kind, puppet)
    page = open_page(path)
    page.get_by_role("button", name="Share").click()
    sheet = page.get_by_role("dialog", name="Share this page")
    expect(sheet.get_by_label("Link", exact=True)).to_have_value(f"{page.url.partition('/')[0]}//{host(page)}{path}")
    expect(sheet).to_contain_text("The link opens")
    expect(sheet).not_to_contain_text("undefined")
    if (what := sheet.get_by_label("What to embed")).count():
        what.select_option("")
    sheet.get_by_label("Theme of the embedded page").select_option("light")
    source = sheet.get_by_label("Code for your page").input_value().partition('src="')[2].partition('"')[0]
    shown = embed(open_page, unescape(source), page)
    frame = shown.frame_locator("iframe")
    expect(frame.get_by_role("heading", level=1)).to_be_visible()
    expect(frame.get_by_role("button", name="Share")).to_have_count(0)
    expect(frame.get_by_role("link", name="Add runs")).to_have_count(0)
    expect(frame.locator("body")).not_to_contain_text("null")


def host(page: Page) -> str:
    return urlsplit(page.url).netloc


@pytest.mark.parametrize("kind", PAGES)
def test_an_embedded_page_has_no_chrome_and_its_links_leave_the_frame(
    open_page: Open, puppet: Puppet, kind: str
) -> None:
    path = path_of(kind, puppet)
    link = {
        "run": ".spec a, .frame-bar a",
        "runs": ".runs-table a",
        "compare": ".legend-row a",
        "surgery": ".surgery-head a",
    }.get(kind, ".frame-bar a")
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
    page.get_by_label("Find by name, id or tag").fill(run_id)
    page.wait_for_function("id => location.search.includes('text=' + id)", arg=run_id)
    assert "embed=1&theme=light" in page.url


@pytest.mark.parametrize("kind", ["train", "surgery", "compare", "paper", "run"])
def test_a_frame_keeps_its_theme_when_the_page_rewrites_its_address(open_page: Open, puppet: Puppet, kind: str) -> None:
    path = path_of(kind, puppet)
    page = open_page(f"{path}{'&' if '?' in path else '?'}embed=1&theme=dark&utm_source=x", color_scheme="light")
    if kind == "train":
        depth(page, "56").check()
        said = "architecture=resnet-56&epochs=7"
    elif kind == "surgery":
        page.get_by_role("button", name="Reset everything").click()
        said = "run="
    elif kind == "compare":
        page.get_by_label("Over", exact=True).select_option("step")
        said = "x=step"
    elif kind == "paper":
        page.locator("details.question > summary").first.click()
        page.get_by_role("button", name="Evening").first.click()
        said = "scale=evening"
    else:
        page.get_by_role("tab", name="Disabled by layer").first.click()
        said = "over=layers"
    page.wait_for_function("said => location.search.includes(said) && !location.search.includes('eps')", arg=said)
    page.reload()
    expect(page.get_by_role("link", name="Open in OnlyBN")).to_be_visible()
    expect(page.locator("body.dark")).to_have_count(1)
    assert "embed=1" in page.url and "theme=dark" in page.url and said in page.url
    assert not page.locator(".site-header").locator("visible=true").count()


def test_a_launch_in_a_frame_stays_in_it(open_page: Open, puppet: Puppet) -> None:
    page = open_page("/train?embed=1&theme=dark")
    page.get_by_role("button", name="Launch", exact=True).click()
    page.wait_for_url("**/run?id=*&embed=1&theme=dark")
    expect(page.get_by_role("link", name="Open in OnlyBN")).to_be_visible()


def test_copying_in_a_frame_that_may_not_use_the_clipboard(open_page: Open, watch: Watch) -> None:
    watch.expected.append("Clipboard API")
    page = open_page("/about", permissions=["clipboard-read"])
    page = embed(open_page, "/about", page)
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="Share").click()
    for what, label in (("link", "Link"), ("code", "Code for your page")):
        button = frame.get_by_role("button", name=f"Copy {what}")
        text = frame.get_by_label(label, exact=True).input_value()
        button.click()
        expect(frame.get_by_role("button", name="Copied")).to_be_focused()
        expect(button).to_be_visible()
        page.evaluate("window.focus()")
        assert page.evaluate("navigator.clipboard.readText()") == text


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
    assert "&amp;embed=1&amp;figure=accuracy" in code.input_value(), "small unless one asks for more"
    sheet.get_by_label("What to embed").select_option("")
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


def test_the_sheets_fit_a_phone_and_give_the_focus_back(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done()}", viewport={"width": 390, "height": 844})
    share = page.get_by_role("button", name="Share", exact=True)
    share.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(share).to_be_focused()
    page.evaluate("import('/static/site/keys.js').then((keys) => keys.sheet())")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
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


@pytest.mark.parametrize(("kind", "figure"), [("run", "gamma"), ("compare", "curves")])
def test_one_figure_is_shown_on_any_site_and_changes_nothing(
    open_page: Open, puppet: Puppet, kind: str, figure: str
) -> None:
    page = open_page(path_of(kind, puppet))
    page.get_by_role("button", name="Share", exact=True).click()
    sheet = page.get_by_role("dialog", name="Share this page")
    sheet.get_by_label("What to embed").select_option(figure)
    source = unescape(sheet.get_by_label("Code for your page").input_value().partition('src="')[2].partition('"')[0])
    policy = page.request.get(source).headers["content-security-policy"]
    assert "frame-ancestors *" in policy
    assert "frame-ancestors *" not in page.request.get(page.url).headers["content-security-policy"]
    assert "frame-ancestors *" not in page.request.get(f"{source}&figure=").headers["content-security-policy"]
    shown = embed(open_page, source)
    frame = shown.frame_locator("iframe")
    expect(frame.locator(".plot[data-drawn]")).to_be_visible()
    expect(
        frame.locator(".run-actions, .own-queue, .compare-table, .icon-button").locator("visible=true")
    ).to_have_count(0)
    expect(frame.get_by_role("link", name="Open in OnlyBN")).to_be_visible()


def test_the_newest_run_has_a_link_of_its_own(open_page: Open, puppet: Puppet) -> None:
    puppet.done(name="Older")
    newest = puppet.done(name="Newest")
    puppet.store.labels.change(newest, {"tags": ["demo"]})
    latest = puppet.done(name="Latest of all")
    expect(open_page("/run?id=latest").locator("h1")).to_have_text("Latest of all")
    tagged = open_page("/run?id=latest&tag=demo&layer=stem.norm")
    expect(tagged.locator("h1")).to_have_text("Newest")
    assert f"id={newest}" in tagged.url and "tag=" not in tagged.url and latest not in tagged.url

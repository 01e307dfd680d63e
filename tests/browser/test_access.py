"""Everybody can use every page: axe finds nothing, nothing needs scrolling sideways, in both themes and two widths."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, Open, Site, serve
from tests.browser.puppet import Puppet
from tests.browser.states import Runs, fill, pages, remember, settle
from tests.browser.waits import still

GROUPS = ("train", "run", "runs", "compare", "surgery", "else")
ALIKE = {"train-deep", "train-random", "train-all"}  # other numbers in the elements of the other forms
WHOLE = {"train", "run-finished", "runs", "compare-four", "surgery-evaluated", "paper", "about", "api-docs"}
"""One state of each page, with everything that the page's width and theme change: looked at in both of both."""
EVERYTHING = {"resultTypes": ["violations"]}
COLOURS = {**EVERYTHING, "runOnly": {"type": "rule", "values": ["color-contrast"]}}
WIDTHS = {1280: 900, 390: 844}
ABOVE = "dialog[open], .menu[open], .toasts"
"""What stands above a page that is looked at by itself."""


def group(name: str) -> str:
    first = name.partition("-")[0]
    return first if first in GROUPS else "else"


@pytest.fixture(scope="module")
def sites(site: Site, fresh_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Site]]:
    """The servers whose states need no worker, by their names in `pages`."""
    for empty in serve(tmp_path_factory.mktemp("empty")):
        yield {"filled": site, "fresh": fresh_site, "empty": empty}


@pytest.fixture(scope="module")
def runs(puppet: Puppet) -> Runs:
    """The runs of the filled site."""
    return fill(puppet)


DRAWN = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
  done([...document.querySelectorAll(".plot")].every((plot) => !plot.offsetParent || plot.dataset.drawn))))) """
"""Whether every chart that can be seen is drawn, once a new picture of the page is there."""


def unfold(page: Page, name: str) -> None:
    """Everything that waits for a click or for being seen is there, but for menus: they are states of their own. The
    long tables under the charts of a run are looked at once."""
    if page.locator("#advanced").count():
        page.get_by_role("button", name="Recipe and more").click()
    for plot in page.locator(".plot:visible").all():
        plot.scroll_into_view_if_needed()
    still(page)
    if group(name) != "run" or name == "run-finished":
        page.evaluate("document.querySelectorAll('details:not(.menu)').forEach(details => { details.open = true })")


def looks(name: str) -> list[tuple[int, bool]]:
    """The widths and themes in which axe looks at a state. A theme changes nothing but colours, and a width only where
    things are, which one state of each page shows: the others are looked at once on a phone and once in the dark."""
    every = [(width, dark) for width in WIDTHS for dark in (True, False)]
    return every if name in WHOLE else [(1280, True), (390, False)]


def obstacles(page: Page, name: str) -> list[str]:
    """What axe finds in the whole page or in what stands above it, and whether something scrolls sideways."""
    found = []
    part = ABOVE if page.locator(ABOVE).count() else None
    for width, dark in looks(name):
        page.set_viewport_size({"width": width, "height": WIDTHS[width]})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.wait_for_function("dark => document.body.classList.contains('dark') === dark", arg=dark)
        still(page)
        for violation in Axe().run(page, part, COLOURS if dark else EVERYTHING).response["violations"]:
            nodes = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
            found.append(f"{name}, {width}, {dark=}: {violation['id']} ({violation['impact']}): {nodes}")
        if (needed := page.evaluate("document.documentElement.scrollWidth")) > width:
            found.append(f"{name}, {width}: scrolls sideways, {needed} px")
    return found


SETTLED = """(dark) => document.body.classList.contains("dark") === dark && new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => done(document.getAnimations().every(
    ({ playState, effect }) => playState !== "running" || effect.getComputedTiming().endTime === Infinity)))))"""
"""Whether the theme is there, and every colour and place after it."""


@pytest.mark.parametrize("kind", GROUPS)
def test_no_page_has_an_obstacle(
    browser: Browser, sites: dict[str, Site], puppet: Puppet, runs: Runs, request: pytest.FixtureRequest, kind: str
) -> None:
    every, trained = dict(sites), ""
    if kind == "surgery":
        every["working"] = request.getfixturevalue("working_site")
        trained = request.getfixturevalue("trained")
    opened: dict[str, Page] = {}  # one a site: Chromium keeps scripts by their text, not by their server
    found: list[str] = []
    for name, state in pages(runs, trained).items():
        if group(name) != kind or name in ALIKE:
            continue
        if state.site not in opened:
            context = browser.new_context(color_scheme="light", reduced_motion="reduce")  # colours do not fade
            context.set_default_timeout(PATIENCE_MS)
            opened[state.site] = context.new_page()
            remember(opened[state.site], runs)
        page = opened[state.site]
        puppet.hello()
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")
        page.goto(every[state.site].url + state.path)
        settle(page)
        state.act(page)
        if not page.locator(ABOVE).count():
            unfold(page, name)
        found += obstacles(page, name)
    for page in opened.values():
        page.context.close()
    assert opened and not found, "\n".join(found)


def test_every_page_has_a_state_that_is_looked_at_in_every_way(runs: Runs) -> None:
    assert pages(runs, "").keys() >= WHOLE


def test_the_theme_follows_the_system_until_the_reader_chooses(open_page: Open) -> None:
    page = open_page("/runs", color_scheme="light")
    dark = "document.body.classList.contains('dark')"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(dark)
    page.get_by_role("button", name="Switch to light").click()
    page.reload()
    expect(page.get_by_role("button", name="Switch to dark")).to_be_visible()
    assert not page.evaluate(dark)
    page.get_by_role("button", name="Switch to dark").click()
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"!{dark}")

"""Everybody can use every page: axe finds nothing, nothing needs scrolling sideways, in both themes and two widths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, Open, Site, serve
from tests.browser.puppet import Puppet
from tests.browser.states import Runs, fill, pages, remember, settle
from tests.browser.waits import still

ALIKE = {"train-deep", "train-random", "train-all"}  # other numbers in the elements of the other forms
NOBODY = Runs(["", "", "", ""], "", "", "", "", "", "", "", {})
STATES = [name for name in pages(NOBODY, "") if name not in ALIKE]
WHOLE = {"train", "run-finished", "runs", "compare-four", "surgery-evaluated", "paper", "about", "api-docs"}
"""One state of each page, with everything that the page's width and theme change: looked at in both of both."""
CHARTS = {*WHOLE, "run-layers", "compare-many", "compare-grouped", "surgery-image"}
"""The states that together have every kind of chart: the long texts in the charts of the others are left out."""
EVERYTHING = {"resultTypes": ["violations"]}
COLOURS = {**EVERYTHING, "runOnly": {"type": "rule", "values": ["color-contrast"]}}
WIDTHS = {1280: 900, 390: 844}
ABOVE = "dialog[open], .menu[open], .toasts"
"""What stands above a page that is looked at by itself."""


@pytest.fixture(scope="module")
def sites(site: Site, fresh_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Site]]:
    """The servers whose states need no worker, by their names in `pages`."""
    for empty in serve(tmp_path_factory.mktemp("empty")):
        yield {"filled": site, "fresh": fresh_site, "empty": empty}


@pytest.fixture(scope="module")
def runs(puppet: Puppet) -> Runs:
    """The runs of the filled site."""
    return fill(puppet)


@pytest.fixture(scope="module")
def visit(
    browser: Browser, sites: dict[str, Site], runs: Runs, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Page]]:
    """Opens a state. Each site has one page: Chromium keeps scripts by their text, not by their server."""
    opened: dict[str, Page] = {}

    def open_state(name: str) -> Page:
        on = pages(runs, "")[name].site
        if on == "working":
            sites[on] = request.getfixturevalue("working_site")
        state = pages(runs, request.getfixturevalue("trained") if on == "working" else "")[name]
        if on not in opened:
            context = browser.new_context(color_scheme="light", reduced_motion="reduce")  # colours do not fade
            context.set_default_timeout(PATIENCE_MS)
            opened[on] = context.new_page()
            remember(opened[on], runs)
        page = opened[on]
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")
        page.goto(sites[on].url + state.path)
        settle(page)
        state.act(page)
        return page

    yield open_state
    for page in opened.values():
        page.context.close()


def unfold(page: Page, name: str) -> None:
    """Everything that waits for a click or for being seen is there, but for menus: they are states of their own. The
    long tables under the charts of a run are looked at once."""
    if page.locator("#advanced").count():
        page.get_by_role("button", name="Recipe and more").click()
    for plot in page.locator(".plot:visible").all():
        plot.scroll_into_view_if_needed()
    still(page)
    if not name.startswith("run-") or name == "run-finished":
        page.evaluate("document.querySelectorAll('details:not(.menu)').forEach(details => { details.open = true })")


def looks(name: str) -> list[tuple[int, bool]]:
    """The widths and themes in which axe looks at a state. A theme changes nothing but colours, and a width only where
    things are, which one state of each page shows: the others are looked at once on a phone and once in the dark."""
    every = [(width, dark) for width in WIDTHS for dark in (True, False)]
    return every if name in WHOLE else [(1280, True), (390, False)]


def obstacles(page: Page, name: str) -> list[str]:
    """What axe finds in the whole page or in what stands above it, and whether something scrolls sideways."""
    found = []
    part: str | dict[str, Any] | None = None if name in CHARTS else {"exclude": [[".plot"]]}
    if page.locator(ABOVE).count():
        part = ABOVE
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


@pytest.mark.parametrize("name", STATES)
def test_no_state_of_a_page_has_an_obstacle(visit: Callable[[str], Page], puppet: Puppet, name: str) -> None:
    puppet.hello()
    page = visit(name)
    if not page.locator(ABOVE).count():
        unfold(page, name)
    found = obstacles(page, name)
    assert not found, "\n".join(found)


def test_the_states_that_stand_for_others_are_there() -> None:
    assert set(STATES) >= WHOLE | CHARTS


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

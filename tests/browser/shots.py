"""`python -m tests.browser.shots [PATTERN...]`: every page and state as a picture, in both themes and two widths, into
shots/; with patterns (`'run-*-light-390'`) only the pictures whose names match one.

For eyes, not for comparison by machine. What there is to see is in `states`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.browser.conftest import ADMIN_TOKEN, ROOT, Site, find_chromium, launch, trained_run
from tests.browser.puppet import Puppet
from tests.browser.states import State, fill, pages, remember, settle

FOLDER = ROOT / "shots"
WIDTHS = {1280: 860, 390: 844}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
OPEN = "dialog[open], .menu[open], .toast"


@contextmanager
def served(folder: Path, *, worker: bool = False, examples: bool = False) -> Iterator[Site]:
    """A server that runs until the end."""
    settings = {"ONLYBN_ADMIN_TOKEN": ADMIN_TOKEN}
    site = Site(folder, embedded_worker=worker, examples=examples, settings=settings)
    try:
        site.start()
        yield site
    finally:
        site.stop()


def shoot(page: Page, name: str) -> None:
    """The whole page, after all its charts have drawn themselves: they do so only where they can be seen. A sheet, a
    menu or a message is seen in its window."""
    page.wait_for_timeout(1200)
    viewport = page.viewport_size
    assert viewport is not None
    if not page.locator(OPEN).count():
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": viewport["width"], "height": max(viewport["height"], height)})
        page.wait_for_timeout(1200)
    page.screenshot(path=FOLDER / f"{name}.png")
    page.set_viewport_size(viewport)


def visit(page: Page, site: Site, state: State) -> None:
    """Bring the page into the state."""
    page.goto(site.url + state.path)
    settle(page)
    state.act(page)


def shoot_all(browser: Browser, folder: Path, wanted: Callable[[str], bool]) -> None:
    """Starts the servers that it needs."""
    with ExitStack() as stack:
        sites = {"filled": stack.enter_context(served(folder / "filled"))}
        store = sites["filled"].store()
        stack.callback(store.close)
        puppet = Puppet(store)
        runs = fill(puppet)
        looks = [(theme, width) for theme in THEMES for width in WIDTHS]
        needed = {
            state.site
            for name, state in pages(runs, "").items()
            if any(wanted(f"{name}-{theme}-{width}") for theme, width in looks)
        }
        for name in needed - set(sites):
            site = served(folder / name, worker=name == "working", examples=name == "fresh")
            sites[name] = stack.enter_context(site)
        states = pages(runs, trained_run(sites["working"]) if "working" in needed else "")
        for theme, width in looks:
            with ExitStack() as windows:
                opened: dict[str, Page] = {}  # one a site: Chromium keeps scripts by their text, not by their server
                for name, state in states.items():
                    if not wanted(picture := f"{name}-{theme}-{width}"):
                        continue
                    if state.site not in opened:
                        size: ViewportSize = {"width": width, "height": WIDTHS[width]}
                        context = windows.enter_context(browser.new_context(viewport=size, color_scheme=theme))
                        opened[state.site] = context.new_page()
                        remember(opened[state.site], runs)
                    puppet.hello()
                    visit(opened[state.site], sites[state.site], state)
                    shoot(opened[state.site], picture)


def main() -> int:
    if find_chromium() is None:
        print("no Chromium here; on Debian and Ubuntu: apt install chromium", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    patterns = sys.argv[1:] or ["*"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launch(playwright)
        try:
            shoot_all(browser, Path(folder), lambda name: any(fnmatch(name, pattern) for pattern in patterns))
        finally:
            browser.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures are in {FOLDER.relative_to(ROOT)}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())

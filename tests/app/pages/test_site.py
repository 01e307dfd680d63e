"""The table of pages says all that is needed of a page: its place in the site, its script, its link, its keys."""

from __future__ import annotations

import pytest

from app.pages import site, train
from app.pages.options import options
from app.pages.parts import skeleton
from app.pages.shell import FOOTER, HEADER
from app.pages.table import PAGES, Page
from app.web.assets import STATIC

BUILT = [page for page in PAGES.values() if page.head]


def test_the_site_has_the_pages_of_the_table() -> None:
    paths = {f"/{path}" for path, *_ in site.build().pages}
    assert paths == set(PAGES)


@pytest.mark.parametrize("page", BUILT, ids=lambda page: page.name)
def test_a_page_without_code_of_its_own_has_a_script(page: Page) -> None:
    script = STATIC / "pages" / page.name / "page.js"
    assert "export function mount(element)" in script.read_text()


def test_the_header_leads_to_pages_by_click_and_by_keys() -> None:
    for page in PAGES.values():
        assert (f'href="{page.path}"' in HEADER.partition("<nav")[2]) == bool(page.header)
        assert not page.keys or f'href="{page.path}" data-keys="{page.keys}"' in HEADER
    keys = [page.keys for page in PAGES.values() if page.keys]
    assert len(set(keys)) == len(keys) and all(len(key.split(" ")) == 2 for key in keys)
    assert not [page.path for page in PAGES.values() if page.keys and not page.header], "keys stand in the header"


def test_the_scripts_hear_what_a_link_opens() -> None:
    assert {page["path"]: page["opens"] for page in options()["pages"]} == {
        path: page.opens for path, page in PAGES.items()
    }


def test_templates_hold_nothing_that_gradio_would_evaluate() -> None:
    templates = (HEADER, FOOTER, train.HEAD, train.PREVIEW, train.LAUNCH_PROBLEM, train.CLI)
    for html in (*templates, *map(skeleton, BUILT)):
        assert not any(sign in html for sign in ("${", "{{", "`"))

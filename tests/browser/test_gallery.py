"""What a fresh installation shows: the runs that come with the project, and that they are marked as such."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, expect

from jobs.store.examples import shipped
from tests.browser.charts import drawn, until
from tests.browser.conftest import Open, Site, _opener


@pytest.fixture
def open_fresh_page(fresh_site: Site, browser: Browser) -> Iterator[Open]:
    pages = _opener(fresh_site, browser)
    yield next(pages)[0]
    next(pages, None)


def test_a_fresh_installation_shows_the_examples_and_opens_one(open_fresh_page: Open) -> None:
    page = open_fresh_page("/")
    cards = page.locator(".gallery-cards > li")
    expect(cards).to_have_count(4)
    expect(cards.first).to_contain_text(f"{100 * shipped()[0].example.result.top1:.1f}")
    expect(cards.first.get_by_role("img", name="Test accuracy from")).to_be_visible()
    expect(page.locator(".latest .example-mark")).to_have_count(4)
    compare = page.get_by_role("link", name="Compare all four").get_attribute("href")
    cards.first.get_by_role("link").click()
    page.wait_for_url("**/run?id=*")
    expect(page.locator(".example-note")).to_contain_text("Shipped example, trained on ")
    expect(page.locator(".story")).to_contain_text("its twin with the same number of random weights")
    until(drawn(page, "Accuracy"), "plot.data.some(trace => trace.x.length > 30)")
    assert compare is not None and unquote(compare).count(",") == 3
    page = open_fresh_page(compare, page=page)
    page.wait_for_function("document.querySelector('.overlay .plot')?.data?.length >= 4")
    expect(page.locator(".legend-list .example-mark")).to_have_count(4)
    expect(page.locator(".compare-table tbody tr")).to_have_count(4)
    expect(page.locator(".compare-page .example-mark")).to_have_count(4)  # once a run, not in every table


def test_the_list_says_that_nothing_of_ones_own_has_run(open_fresh_page: Open) -> None:
    page = open_fresh_page("/runs")
    expect(page.get_by_text("You have not run anything here yet.")).to_be_visible()
    expect(page.locator(".gallery-cards > li")).to_have_count(4)
    expect(page.locator(".runs-table .example-mark")).to_have_count(4)
    page.get_by_label("What trains").select_option("all")
    expect(page.locator(".runs-table tbody tr")).to_have_count(1)
    expect(page.locator(".gallery")).to_be_hidden()

"""The page Compare before anything is chosen, and the words that its scripts share with the server."""

from __future__ import annotations

from playwright.sync_api import expect

from app.views import comparison
from tests.browser.conftest import Open
from tests.browser.puppet import Puppet


def test_nothing_chosen_says_what_to_do(open_page: Open, puppet: Puppet) -> None:
    puppet.done(epochs=2)
    page = open_page("/compare")
    expect(page.get_by_role("heading", name="Choose runs to compare")).to_be_visible()
    page.get_by_role("link", name="All finished runs on Digits").click()
    expect(page.locator(".compare-table tbody tr").first).to_be_visible()
    assert "dataset=digits" in page.url


def test_page_and_server_know_the_same_words(open_page: Open) -> None:
    page = open_page("/compare")
    known = page.evaluate(
        """Promise.all(['pages/compare/fields', 'pages/compare/groups', 'charts/statistics']
        .map((name) => import(`/static/${name}.js`)))
        .then(([{FIELDS, RESULTS, COLUMNS}, {METRICS, AXES}, {BANDS}]) => ({
            fields: FIELDS.map(({key}) => key), results: RESULTS.map(({key}) => key), columns: [...COLUMNS],
            metric: Object.keys(METRICS), x: Object.keys(AXES), band: Object.keys(BANDS)}))"""
    )
    assert set(known["fields"]) == set(comparison.FIELDS) and set(known["results"]) == set(comparison.RESULTS)
    assert set(known["columns"]) == set(comparison.COLUMNS)
    for key in ("metric", "x", "band"):
        assert tuple(known[key]) == comparison.CHOICES[key]

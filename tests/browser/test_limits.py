"""What a visitor sees of limits: its share, the price, refusals in advance, and how long runs are kept."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Watch
from tests.browser.puppet import Puppet

FORM = "/train?architecture=resnet-14&dataset=digits&epochs=12"


@pytest.fixture
def open_public(public_opener: tuple[Open, Watch], public_puppet: Puppet) -> Iterator[Open]:
    """Opens pages of a server with limits. Nothing is left waiting there."""
    yield public_opener[0]
    for waiting in public_puppet.store.queue.waiting():
        public_puppet.store.runs.cancel(waiting)


def share(page: Page) -> str:
    place = page.locator('[data-slot="launch-share"]')
    expect(place).to_be_visible()
    return place.inner_text()


def launch(page: Page) -> None:
    page.get_by_role("button", name="Launch", exact=True).click()
    page.wait_for_url("**/run?id=*")


def test_a_visitors_token_is_made_once_kept_and_sent(open_public: Open) -> None:
    page = open_public("/about")
    sent: set[str | None] = set()

    def look(request: object) -> None:
        if "/api/" in request.url and "gradio" not in request.url:  # type: ignore[attr-defined]
            sent.add(request.headers.get("x-visitor-token"))  # type: ignore[attr-defined]

    page.on("request", look)
    page.reload()
    open_public("/runs", page=page)
    expect(page.locator(".workers li")).to_be_visible()
    open_public(FORM, page=page)
    share(page)
    kept = page.evaluate("localStorage.getItem('onlybn.visitor')")
    assert re.fullmatch("[0-9a-f]{36}", kept) and sent == {kept}
    other = open_public("/runs")
    expect(other.locator(".workers li")).to_be_visible()
    assert other.evaluate("localStorage.getItem('onlybn.visitor')") != kept


def test_what_is_left_is_said_and_a_refusal_comes_in_advance(open_public: Open, public_puppet: Puppet) -> None:
    page = open_public(FORM)
    assert share(page).startswith(
        "You have left: 3 runs in the queue, 20 launches this hour. One of your runs trains at a time."
    )
    expect(page.locator('[data-slot="price"]')).to_contain_text("of a core; at most 60 minutes here")
    for left in (2, 1):
        launch(page)
        open_public(FORM, page=page)
        expect(page.locator('[data-slot="launch-share"]')).to_contain_text(f"You have left: {left} run")
    open_public("/", page=page)
    pair = page.locator('[data-slot="examples"]')
    expect(pair).to_have_attribute("aria-disabled", "true")
    pair.click(force=True)
    expect(page.locator('[data-slot="examples-problem"]')).to_have_text(
        "This launches 2 runs, but you can only queue 1 more."
    )
    open_public(FORM, page=page)
    launch(page)
    waiting = len(public_puppet.store.queue.waiting())
    open_public(FORM, page=page)
    words = "3 runs and studies of yours are waiting; the limit is 3."
    expect(page.locator('[data-slot="launch-share"]')).to_contain_text(words)
    button = page.get_by_role("button", name="Launch", exact=True)
    expect(button).to_have_attribute("aria-disabled", "true")
    assert words in (button.get_attribute("title") or "")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible()
    assert len(public_puppet.store.queue.waiting()) == waiting
    somebody = open_public(FORM)
    assert share(somebody).startswith("You have left: 3 runs")


def test_a_run_that_costs_too_much_is_refused_at_the_button(open_public: Open) -> None:
    page = open_public("/train?architecture=resnet-110&dataset=cifar-10&epochs=200")
    place = page.locator('[data-slot="launch-share"]')
    expect(place).to_contain_text("at most 60 minutes are allowed here")
    expect(place).to_contain_text("instead of 200 would fit")
    page.get_by_role("button", name="Launch", exact=True).click(force=True)
    expect(page.locator('[data-slot="launch-problem"]')).to_contain_text("instead of 200 would fit")
    page.get_by_label("Epochs").fill("1")
    expect(place).to_contain_text("You have left")
    expect(page.locator('[data-slot="launch-problem"]')).to_be_hidden()


def test_how_long_runs_are_kept_is_said(open_public: Open, public_puppet: Puppet) -> None:
    run_id = public_puppet.done(name="Kept for a while")
    page = open_public("/runs")
    expect(page.get_by_text("Runs are kept for 14 days, failed and cancelled ones for 2 days.")).to_be_visible()
    open_public(f"/run?id={run_id}", page=page)
    run = public_puppet.store.runs.get(run_id)
    assert run and run.finished_at
    day = page.evaluate(
        "unix => new Intl.DateTimeFormat('en-GB', {dateStyle: 'medium'}).format(unix * 1000)",
        run.finished_at + 14 * 86400,
    )
    expect(page.locator('[data-slot="kept"]')).to_contain_text(f"Kept until {day}")


def test_a_run_that_lost_its_curves_says_so_and_offers_nothing_broken(open_public: Open, public_puppet: Puppet) -> None:
    run_id = public_puppet.done(name="Made room")
    assert public_puppet.store.keeping.evict([run_id], time.time()) == [run_id]
    page = open_public(f"/run?id={run_id}")
    expect(page.get_by_text("to make room for newer runs. Its result and its log are kept.")).to_be_visible()
    expect(page.locator('[data-slot="test"]')).not_to_have_text("–")
    expect(page.get_by_role("heading", name="Accuracy", exact=True)).to_have_count(0)
    for gone in ("Extend", "Surgery", "Start from this run"):
        expect(page.locator(".run-actions").get_by_text(gone, exact=True)).to_be_hidden()
    page.locator("summary", has_text="Download").click()
    expect(page.get_by_role("link", name="Report (HTML)")).to_be_visible()
    links = page.locator(".run-actions .menu a:visible").evaluate_all("links => links.map(link => link.href)")
    assert links and not any("points" in link or "snapshots" in link or "capsule" in link for link in links)
    for link in links:
        assert page.request.get(link).ok, link


def test_without_limits_nothing_is_said(open_page: Open, puppet: Puppet) -> None:
    run_id = puppet.done(name="Kept for ever")
    page = open_page(FORM)
    expect(page.locator('[data-slot="time"]')).not_to_have_text("–")
    expect(page.locator('[data-slot="price"]')).to_be_hidden()
    expect(page.locator('[data-slot="launch-share"]')).to_be_hidden()
    open_page("/runs", page=page)
    expect(page.locator(".workers li")).to_be_visible()
    expect(page.locator(".kept-words")).to_be_hidden()
    open_page(f"/run?id={run_id}", page=page)
    expect(page.get_by_role("heading", name="Curves")).to_be_visible()
    expect(page.locator('[data-slot="kept"]')).to_be_hidden()

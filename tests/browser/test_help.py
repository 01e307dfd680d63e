"""Help: About and its two figures, words that explain themselves, and keys."""

from __future__ import annotations

import math

import pytest
from playwright.sync_api import Request, expect

from core.catalog import architectures as catalog
from core.catalog.policies import policy
from core.run import cost
from tests.browser.conftest import Open
from tests.browser.puppet import Puppet
from tests.browser.waits import hover, keys_listen, still


def test_about_shows_how_a_feature_dies(open_page: Open) -> None:
    page = open_page("/about")
    said = page.locator(".channel-figure output")
    expect(said).to_contain_text("50")
    page.get_by_role("button", name="Switched off by γ").click()
    expect(said).to_contain_text("Disabled")
    page.get_by_label("β, the shift").fill("-2")
    page.get_by_label("γ, the scale").fill("0.5")
    expect(said).to_contain_text("Cut off")
    expect(page.get_by_role("img", name="The values of one channel. Cut off")).to_be_visible()
    page.get_by_label("γ, the scale").focus()
    page.keyboard.press("Home")
    expect(page.locator(".slider b").first).to_have_text("-2.00")


def test_the_figures_numbers_are_right(open_page: Open) -> None:
    """Against a sum over a fine grid of the bell curve."""
    page = open_page("/runs?text=nothing")
    relu = "([g, b]) => import('/static/pages/about/normal.js').then((m) => m.afterRelu(g, b))"
    xs = [k / 1000 for k in range(-8000, 8001)]
    mass = [math.exp(-x * x / 2) / math.sqrt(2 * math.pi) / 1000 for x in xs]
    for gamma, beta in ((1, 0), (0.5, -2), (-1, 0.5), (0, 1), (2, 3), (0, -1)):
        got = page.evaluate(relu, [gamma, beta])
        out = [max(0.0, gamma * x + beta) for x in xs]
        mean = sum(m * y for m, y in zip(mass, out, strict=True))
        square = sum(m * y * y for m, y in zip(mass, out, strict=True))
        off = sum(m for m, y in zip(mass, out, strict=True) if y <= 0)
        assert got["zero"] == pytest.approx(off, abs=1e-3), (gamma, beta)
        assert got["mean"] == pytest.approx(mean, abs=1e-3), (gamma, beta)
        assert got["sd"] == pytest.approx(math.sqrt(max(0.0, square - mean * mean)), abs=2e-3), (gamma, beta)


def test_abouts_counts_are_the_servers(open_page: Open) -> None:
    page = open_page("/about")
    page.get_by_label("Depth of the ResNet").select_option("56")
    expect(page.locator(".counts-head")).to_contain_text("ResNet-56 for CIFAR-10 has")
    rows = page.locator(".counts tbody tr")
    plan = catalog.plan("resnet-56", (3, 32, 32), 10)
    for row, name in enumerate(("batchnorm", "random-2", "output", "shortcut", "batchnorm+output+shortcut", "all")):
        expect(rows.nth(row).locator("td").first).to_have_text(
            f"{cost.counts(plan, policy(name).trains(plan)).trainable:,}"
        )


def test_a_word_explains_itself(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done()}")
    word = page.get_by_role("button", name="Disabled features", exact=True)
    tip = page.get_by_role("tooltip")
    hover(word, tip)
    expect(tip).to_contain_text("below 0.01")
    page.mouse.move(1, 1)
    expect(tip).to_be_hidden()
    word.focus()
    expect(tip).to_be_visible()
    expect(word).to_have_accessible_description(tip.inner_text())
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_keys_go_where_they_say_and_rest_while_one_types(open_page: Open) -> None:
    page = open_page("/about")
    keys_listen(page)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet.get_by_text("Go to Runs")).to_be_visible()
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/runs")
    find = page.get_by_label("Find by name, id or tag")
    expect(find).to_be_visible()
    keys_listen(page)
    page.keyboard.press("/")
    expect(find).to_be_focused()
    page.keyboard.type("?gp")
    expect(find).to_have_value("?gp")
    expect(sheet).to_be_hidden()
    assert "/runs" in page.url
    find.blur()
    page.keyboard.press("?")
    sheet.get_by_label("Enable shortcuts").uncheck()
    page.keyboard.press("Escape")
    left: list[Request] = []
    page.on("request", lambda request: left.append(request) if request.is_navigation_request() else None)
    page.keyboard.press("g")
    page.keyboard.press("t")
    still(page)
    assert not left and "/runs" in page.url, "switched off"


def test_keys_do_what_the_page_can_do(open_page: Open, puppet: Puppet) -> None:
    run_id = puppet.done(epochs=3)
    page = open_page(f"/run?id={run_id}")
    pinned = page.locator("[data-does=pin]")
    expect(pinned).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("x")  # a finished run cannot be cancelled
    page.keyboard.press("p")
    expect(pinned).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet.get_by_text("Pin this run")).to_be_visible()
    expect(sheet.get_by_text("Cancel this run")).to_have_count(0)
    open_page("/train", page=page)
    page.wait_for_function("document.querySelector('.preview')?.dataset.state === 'ready'")
    page.keyboard.press("l")
    page.wait_for_url("**/run?id=*")
    expect(page.locator(".run-title .badge")).to_have_text("Queued")
    page.keyboard.press("x")
    expect(page.locator(".run-title .badge")).to_have_text("Cancelled")


def test_a_link_to_a_folded_part_of_the_api_docs_unfolds_it(open_page: Open) -> None:
    page = open_page("/api/docs")
    answer = page.locator("#get-api-runs")
    expect(answer).to_be_hidden()
    open_page("/api/docs#get-api-runs", page=page)
    expect(answer).to_be_visible()
    answer.get_by_role("link", name="RunsPage").click()
    expect(page.locator("#schema-RunsPage")).to_be_visible()

"""γ and β of a run: a moment that one scrubs and plays, views in tabs, and a link that shows the same."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.browser.charts import drawn, until, x_range, zoom
from tests.browser.conftest import Open
from tests.browser.puppet import Puppet


def slider(page: Page) -> Locator:
    return page.get_by_label("Moment in training")


def tab(page: Page, card: str, name: str) -> Locator:
    return page.get_by_role("tablist", name=f"{card}: views").get_by_role("tab", name=name, exact=True)


def data(page: Page, label: str) -> Any:
    """What the chart that is labelled so draws."""
    page.wait_for_function("label => document.querySelector(`.plot[aria-label^='${label}']`)?.dataset.drawn", arg=label)
    return page.evaluate("label => document.querySelector(`.plot[aria-label^='${label}']`).data", label)


def test_scrubbing_playing_and_the_link(open_page: Open, puppet: Puppet) -> None:
    run_id = puppet.done()
    page = open_page(f"/run?id={run_id}")
    histogram = drawn(page, "Now")
    expect(page.locator(".moment")).to_have_text("Epoch 12 of 12")
    slider(page).focus()
    page.keyboard.press("Home")
    expect(page.locator(".moment")).to_have_text("Epoch 0 of 12")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(slider(page)).to_have_attribute("aria-valuetext", "Epoch 1 of 12, step 12")
    until(histogram, "plot.data[0].name === 'epoch 1'")
    until(drawn(page, "Over time"), "plot.layout.shapes[0]?.x0 === 1")
    page.wait_for_url("**step=12")

    tab(page, "Now", "Histogram").focus()
    page.keyboard.press("ArrowRight")
    expect(tab(page, "Now", "Layers")).to_be_focused()
    tab(page, "Over time", "Quantiles").click()
    page.get_by_role("button", name="β", exact=True).click()
    page.get_by_label("Layer of the γ panels").select_option(index=3)
    ridge = data(page, "β of all 15 layers at epoch 1")
    assert [trace["name"] for trace in ridge][:2] == ["stem.norm", "stage1.0.norm1"] and len(ridge) == 15
    assert len(data(page, "Quantiles of β")) == 7

    friend = open_page(page.url.removeprefix(page.evaluate("location.origin")))
    expect(friend.locator(".moment")).to_have_text("Epoch 1 of 12")
    expect(friend.get_by_label("Layer of the γ panels")).to_have_value("2")
    expect(tab(friend, "Over time", "Quantiles")).to_have_attribute("aria-selected", "true")
    assert len(data(friend, "β of all 15 layers")) == 15

    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name="Play the training").click()
    expect(page.locator(".moment")).to_have_text("Epoch 1.8 of 12")  # a leap of two, a second later
    page.get_by_role("button", name="Pause").click()
    page.emulate_media(reduced_motion="no-preference")
    page.get_by_role("button", name="Play the training").click()
    expect(page.locator(".moment")).to_have_text("Epoch 12 of 12")
    expect(page.get_by_role("button", name="Play the training")).to_be_visible()
    assert "step=" not in page.url


def test_the_numbers_behind_the_pictures(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done()}&over=layers&now=disabled&step=72")
    assert len(data(page, "Disabled features of each layer over the epochs")[0]["z"]) == 15
    assert data(page, "Disabled features by layer: at epoch 6")[0]["type"] == "bar"
    tab(page, "Over time", "Disabled, total").click()
    moments = len(data(page, "Disabled features over the epochs")[0]["x"])
    tab(page, "Now", "Layers").click()
    page.get_by_label("Data of the chart Now: Layers").click()
    card = page.get_by_role("figure").filter(has=page.get_by_role("heading", name="Now"))
    expect(card.locator(".data-bar p")).to_have_text("15 rows. Quantiles of γ at epoch 6.")
    rows = page.get_by_role("region", name="Data: Now: Layers").locator("tbody tr")
    expect(rows).to_have_count(15)
    expect(rows.first.locator("td")).to_have_count(9)
    tab(page, "Over time", "Quantiles").click()
    page.get_by_label("Data of the chart Over time: Quantiles").click()
    rows = page.get_by_role("region", name="Data: Over time: Quantiles").locator("tbody tr")
    expect(rows).to_have_count(moments)
    tab(page, "Over time", "Values").click()
    expect(page.get_by_role("columnheader", name="γ ≈ 0.00", exact=True)).to_be_visible()


def test_a_live_run_is_followed_until_one_looks_back(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start()
    puppet.advance(run_id, 0.5)
    page = open_page(f"/run?id={run_id}")
    heatmap = drawn(page, "Over time")
    expect(page.locator(".moment")).to_have_text("Epoch 6 of 12")
    zoomed = zoom(heatmap)
    puppet.advance(run_id, 0.6)
    expect(page.locator(".moment")).to_have_text("Epoch 7.2 of 12")
    slider(page).focus()
    page.keyboard.press("PageDown")
    looked_at = page.locator(".moment").text_content() or ""
    puppet.advance(run_id, 0.75)
    until(heatmap, "plot.data[0].x.at(-1) === 9")
    expect(page.locator(".moment")).to_have_text(looked_at)
    assert x_range(heatmap) == zoomed
    page.get_by_role("button", name="Follow the latest").click()
    expect(page.locator(".moment")).to_have_text("Epoch 9 of 12")
    puppet.finish(run_id)
    expect(page.locator(".moment")).to_have_text("Epoch 12 of 12")


def test_a_link_that_makes_no_sense_shows_the_usual(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done()}&of=delta&now=&over=x&layer=99&step=-3")
    assert data(page, "Histogram of γ of 560 features")[0]["type"] == "bar"
    expect(page.get_by_label("Layer of the γ panels")).to_have_value("")


def test_smoothing_keeps_the_raw_curve(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done()}")
    accuracy = drawn(page, "Accuracy")
    raw = accuracy.evaluate("plot => plot.data[0].y")
    page.get_by_label("Smoothing").focus()
    page.keyboard.press("End")
    until(accuracy, "plot.data[2]?.name === 'train, smoothed'")
    assert accuracy.evaluate("plot => plot.data[0].y") == raw
    page.wait_for_url("**smooth=0.98*")
    other = open_page(f"/run?{urlsplit(page.url).query}")
    expect(other.get_by_label("Smoothing")).to_have_value("0.98")
    smooth = "import('/static/charts/statistics.js').then(({ smoothed }) => smoothed([4, 4, 0, 0], 0.5))"
    assert page.evaluate(smooth) == [4, 4, 12 / 7, 12 / 15]
    quantiles = """import('/static/charts/fan.js').then(({ fromCounts, LEVELS }) => {
        const counts = Array(67).fill(0);
        counts[33] = 100;
        return [LEVELS, fromCounts(counts), fromCounts(counts.map((_, bin) => (bin === 0 ? 5 : 0)))];
    })"""
    levels, values, below = page.evaluate(quantiles)
    for level, value in zip(levels, values, strict=True):
        assert abs(value - (-0.03 + 0.06 * level)) < 1e-9, "evenly within the middle bin"
    assert set(below) == {-1.95}

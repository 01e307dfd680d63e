"""Under every chart its numbers: all of them, live, as a table, as a file; and in words for who does not see it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.charts import chart, drawn
from tests.browser.conftest import Open
from tests.browser.puppet import Puppet
from tests.browser.test_run import state

CHARTS = (
    "Accuracy",
    "Loss",
    "Now: Histogram",
    "Over time: Values",
    "Learning rate",
    "Images per second",
    "Accuracy with small γ removed",
    "Dead ReLU channels",
    "How often each channel is zero",
    "How evenly γ can be learned",
)


def fold(page: Page, name: str) -> Locator:
    """What opens the numbers of a chart."""
    return page.get_by_label(f"Data of the chart {name}", exact=True)


def table(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=f"Data: {name}", exact=True)


def saved(page: Page, region: Locator) -> list[list[str]]:
    """The file of the same numbers."""
    with page.expect_download() as download:
        region.locator("xpath=..").get_by_role("button", name="CSV").click()
    return list(csv.reader(io.StringIO(Path(download.value.path()).read_text())))


def test_every_chart_of_a_run_has_its_numbers_and_its_words(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done()}")
    drawn(page, "How often each channel is zero")
    assert page.locator(".data table").count() == 0, "made when somebody opens them"
    for name in CHARTS:
        fold(page, name).click()
        rows = table(page, name).locator("tbody tr")
        expect(rows.first).to_be_visible()
        assert len(saved(page, table(page, name))) == rows.count() + 1
    assert page.locator(".plot").count() == page.locator(".charts details.data").count() == len(CHARTS)
    for name in CHARTS:
        plot = drawn(page, name.partition(":")[0])
        image = plot.locator(".main-svg[role=img]")
        expect(image).to_have_count(1)
        assert image.get_attribute("aria-label") == plot.get_attribute("aria-label")
    expect(chart(page, "Learning rate")).to_have_attribute(
        "aria-label", "Learning rate by epoch: 0.1 in the recipe, 0.1 at the last step."
    )


def test_no_point_is_missing_and_the_file_has_them_to_the_digit(open_page: Open, puppet: Puppet) -> None:
    run_id = puppet.done(policy="output")
    points = sorted(puppet.store.curves.points(run_id), key=lambda point: point.step)
    page = open_page(f"/run?id={run_id}")
    drawn(page)
    fold(page, "Loss").click()
    rows = table(page, "Loss").locator("tbody tr")
    expect(rows.first.locator("th")).to_have_text(str(points[-1].step))
    head, *lines = saved(page, table(page, "Loss"))
    assert head == ["step", "epoch", "curve", "loss"] and len(lines) == rows.count()
    # Beside them there may be the curve of a twin, which other tests have left.
    own = sorted((int(step), curve, float(loss)) for step, _, curve, loss in lines if curve in ("train", "test"))
    assert own == sorted((point.step, point.split, float(f"{point.loss:.5g}")) for point in points)


def test_a_spreadsheet_takes_what_is_copied(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done()}", permissions=["clipboard-read", "clipboard-write"])
    drawn(page, "Accuracy with small γ removed")
    fold(page, "Accuracy with small γ removed").click()
    table(page, "Accuracy with small γ removed").locator("xpath=..").get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert copied[0].split("\t") == ["epsilon", "zeroed", "top1", "change"]
    assert len({len(line.split("\t")) for line in copied}) == 1


def test_an_open_table_follows_the_run_and_keeps_the_readers_place(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start()
    puppet.advance(run_id, 0.5)
    page = open_page(f"/run?id={run_id}")
    drawn(page)
    fold(page, "Accuracy").click()
    region = table(page, "Accuracy")
    rows = region.locator("tbody tr").filter(has_text=re.compile(r"\d(train|test)\d"))
    expect(rows).to_have_count(72 + 7)
    region.evaluate("region => region.scrollTo(0, 900)")
    region.focus()
    at = """region => {
        const top = region.getBoundingClientRect().top + 40;
        const row = [...region.querySelectorAll('tbody tr')].find((row) => row.getBoundingClientRect().top >= top);
        return [row.textContent, Math.round(row.getBoundingClientRect().top - top)];
    }"""
    before = region.evaluate(at)
    puppet.advance(run_id, 0.75)
    expect(rows).to_have_count(108 + 10)
    assert region.evaluate(at) == before
    expect(region).to_be_focused()
    puppet.finish(run_id)
    state(page).to_have_text("Finished")
    expect(rows).to_have_count(144 + 13)
    assert region.evaluate(at) == before


def test_a_long_run_says_that_it_is_thinned(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start(architecture="resnet-32", dataset="cifar-10", epochs=160)
    puppet.advance(run_id, 0.1)
    page = open_page(f"/run?id={run_id}")
    drawn(page)
    for name in ("Accuracy", "Learning rate"):
        fold(page, name).click()
        expect(table(page, name).locator("xpath=..").locator(".data-bar")).to_contain_text(
            "some train points are left out"
        )
    puppet.finish(run_id)
    short = open_page(f"/run?id={puppet.done()}")
    drawn(short)
    fold(short, "Accuracy").click()
    expect(table(short, "Accuracy")).to_be_visible()
    expect(short.get_by_text("some train points are left out")).to_have_count(0)


def test_a_table_of_very_many_cells_comes_in_parts(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done(architecture='resnet-218', epochs=40)}&over=layers")
    name = "Over time: Disabled by layer"
    drawn(page, "Over time")
    fold(page, name).click()
    rows = table(page, name).locator("tbody tr")
    expect(rows).to_have_count(40)
    lines = saved(page, table(page, name))
    assert len(lines) == 1 + 61 and len(lines[0]) > 200
    page.get_by_role("button", name="Show more: 21 of 61 rows are hidden").click()
    expect(rows).to_have_count(61)


def test_the_other_pages_figures_have_their_numbers(open_page: Open, puppet: Puppet) -> None:
    runs = [puppet.done(replicate=k) for k in range(2)]
    page = open_page(f"/compare?runs={','.join(runs)}&group=policy")
    fold(page, "Curves").click()
    rows = table(page, "Curves").locator("tbody tr")
    expect(rows).to_have_count(13)
    head, *lines = saved(page, table(page, "Curves"))
    assert len(head) == 4 and head[0] == "epoch" and float(lines[-1][1]) <= 1

    page = open_page("/about")
    name = "The values of one channel"
    fold(page, name).click()
    expect(table(page, name).locator("tbody tr")).to_have_count(33)
    middle = table(page, name).locator("tbody tr").filter(has_text="unchanged").first
    before = middle.inner_text()
    page.get_by_role("button", name="Sign flipped").click()
    expect(middle).not_to_have_text(before)

    page = open_page("/paper#random-k")
    fold(page, "BatchNorm or random weights").click()
    rows = page.locator("#random-k .data-table tbody tr")
    expect(rows.first).to_contain_text("the paper")

"""The page of one run, in every state that a run can have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from jobs.store.records import Batch
from tests.browser.charts import LIGHT_TEXT, drawn, kinds, until, x_range, zoom
from tests.browser.conftest import RUNNING, Open, Watch
from tests.browser.puppet import Puppet
from tests.events import started

TEST_POINTS = "plot.data[1].x.length"


def state(page: Page) -> Any:
    return expect(page.locator(".run-title .badge"))


def test_curves_grow_and_the_zoom_stays(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start()
    puppet.advance(run_id, 0.3)
    page = open_page(f"/run?id={run_id}")
    state(page).to_have_text(RUNNING)
    expect(page.locator(".run-line")).to_contain_text("Epoch 3.6 of 12")
    accuracy = drawn(page, "Accuracy")
    until(accuracy, f"{TEST_POINTS} === 4")
    node = accuracy.element_handle()
    zoomed = zoom(accuracy)
    assert zoomed != [0, 12]
    for share, points in ((0.4, 5), (0.5, 7)):
        puppet.advance(run_id, share)
        until(accuracy, f"{TEST_POINTS} === {points}")
    page.get_by_role("button", name="Switch to dark").click()
    until(accuracy, f"plot.layout.font.color !== '{LIGHT_TEXT}'")
    assert x_range(accuracy) == zoomed
    assert accuracy.evaluate("(plot, node) => plot === node", node), "the chart has not been made anew"
    puppet.finish(run_id)
    state(page).to_have_text("Finished")
    assert x_range(accuracy) == zoomed
    expect(page.locator('[data-slot="test"]')).to_contain_text("%")


TRACES = {
    "Accuracy": ["scatter", "scatter"],
    "Loss": ["scatter", "scatter"],
    "Now": ["bar", "scatter"],
    "Over time": ["heatmap"],
    "Learning rate": ["scatter", "scatter"],
    "Images per second": ["scatter"],
}
"""The kinds of the first traces of each chart of a run."""


def test_every_panel_shows_its_data(open_page: Open, puppet: Puppet) -> None:
    run_id = puppet.done()
    page = open_page(f"/run?id={run_id}")
    # Behind accuracy and loss there may be the curves of a twin.
    assert {title: kinds(drawn(page, title))[:2] for title in TRACES} == TRACES
    expect(drawn(page, "Accuracy")).to_have_attribute("aria-label", re.compile("^Accuracy by epoch: train "))
    expect(drawn(page, "Now")).to_have_attribute("aria-label", re.compile("lie in the bin around zero"))
    expect(page.locator(".log li").first).to_contain_text("Finished")
    expect(page.locator(".log li").last).to_contain_text("Launched")


def test_a_chart_has_no_buttons_of_its_own(open_page: Open, puppet: Puppet) -> None:
    """They would cover the legend, be stops of the Tab key, and offer to upload the chart."""
    page = open_page(f"/run?id={puppet.done()}")
    drawn(page, "Accuracy")
    expect(page.locator(".modebar-btn")).to_have_count(0)


def test_charts_over_the_epochs_share_their_crosshair(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done()}")
    charts = [drawn(page, title) for title in ("Accuracy", "Loss")]
    box = charts[0].locator(".nsewdrag").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for chart in charts:
        expect(chart.locator(".hoverlayer")).to_contain_text(re.compile(r"epoch 6.*test \d", re.DOTALL))
    page.mouse.move(box["x"] + 10, box["y"] - 200)
    for chart in charts:
        expect(chart.locator(".hoverlayer")).to_be_empty()


def test_one_layer_of_many(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done()}")
    heatmap = drawn(page, "Over time")
    total = "plot.data[0].customdata.flat().reduce((a, b) => a + b, 0)"
    snapshots = heatmap.evaluate("plot => plot.data[0].x.length")
    assert heatmap.evaluate(f"plot => {total}") == 560 * snapshots
    page.get_by_label("Layer of the γ panels").select_option(index=1)
    until(heatmap, f"{total} === 16 * {snapshots}")


def test_a_queued_run_then_a_running_one_after_a_reload(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.submit(name="Patient")
    page = open_page(f"/run?id={run_id}")
    state(page).to_have_text("Queued")
    expect(page.locator(".run-line")).to_contain_text("Next in the queue")
    puppet.claim(run_id)
    puppet.advance(run_id, 0.2)
    state(page).to_have_text(RUNNING)
    page.reload()
    state(page).to_have_text(RUNNING)
    expect(page.get_by_role("heading", name="Patient")).to_be_visible()
    drawn(page)
    puppet.finish(run_id)
    state(page).to_have_text("Finished")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()


def test_only_the_browser_that_launched_it_can_cancel(open_page: Open, puppet: Puppet) -> None:
    owner = open_page("/train?policy=all&epochs=9")
    expect(owner.locator('[data-slot="title"]')).to_have_text("ResNet-14")
    owner.get_by_role("button", name="Launch", exact=True).click()
    owner.wait_for_url("**/run?id=*")
    run_id = parse_qs(urlsplit(owner.url).query)["id"][0]
    puppet.claim(run_id)
    puppet.advance(run_id, 0.3)
    state(owner).to_have_text(RUNNING)

    visitor = open_page(f"/run?id={run_id}")
    state(visitor).to_have_text(RUNNING)
    expect(visitor.get_by_role("link", name="Change and run again")).to_be_visible()
    expect(visitor.get_by_role("button", name="Cancel")).to_be_hidden()

    owner.get_by_role("button", name="Cancel").click()
    state(owner).to_have_text("Cancelling")
    puppet.obey_cancel(run_id)
    state(owner).to_have_text("Cancelled")
    state(visitor).to_have_text("Cancelled")
    assert drawn(visitor).evaluate(f"plot => {TEST_POINTS}") == 3, "the partial curve stays"


def test_a_failure_says_why(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start()
    puppet.advance(run_id, 0.2)
    puppet.fail(run_id, "diverged", "The loss became infinite at step 29. Try a smaller learning rate.")
    page = open_page(f"/run?id={run_id}")
    state(page).to_have_text("Failed")
    expect(page.get_by_role("alert").filter(has_text="Try a smaller learning rate")).to_be_visible()


def test_what_a_training_warns_of_stands_at_the_top(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start()
    page = open_page(f"/run?id={run_id}")
    warning = page.locator('[data-slot="warning"]')
    expect(page.get_by_text("cpu · fused (compiled kernels), bf16")).to_be_visible()
    expect(warning).to_be_hidden()
    puppet.warn(run_id, "The training waited 62% of the time for images.")
    expect(warning).to_have_text("The training waited 62% of the time for images.")


def test_a_run_says_where_it_trains_and_what_it_takes(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start()
    page = open_page(f"/run?id={run_id}")
    line = page.locator('[data-slot="resources"]')
    expect(line).to_have_text("2 threads on AMD EPYC · memory: 812\u202fMB, 3.1\u202fGB at peak")
    puppet.finish(run_id)
    expect(line).to_have_text("2 threads on AMD EPYC · memory: 3.1\u202fGB at peak")
    waiting, _ = puppet.submit()
    page = open_page(f"/run?id={waiting}")
    state(page).to_have_text("Queued")
    expect(page.locator('[data-slot="resources"]')).to_be_hidden()
    puppet.store.runs.cancel(waiting)
    words = """import('/static/pages/run/head/resources.js').then(({ resources }) => resources({
        state: "running",
        device: "2 × NVIDIA H100",
        place: { processor: "x", threads: 4, processes: 2 },
        usage: { memory_bytes: 999, peak_bytes: 1e6, gpu_bytes: 12.34e9, gpu_peak_bytes: 2e13 },
    }))"""
    assert page.evaluate(words).replace("\u202f", " ") == (
        "2 × NVIDIA H100 · memory of its first process: 999 B, 1.0 MB at peak · GPU memory: 12 GB, 20 TB at peak"
    )


def test_an_interrupted_run_says_that_it_goes_on(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start()
    puppet.advance(run_id, 0.4)
    page = open_page(f"/run?id={run_id}")
    state(page).to_have_text(RUNNING)
    puppet.lose(run_id)
    state(page).to_have_text("Queued")
    puppet.claim(run_id)
    attempt = page.locator('[data-slot="attempt"]')
    expect(attempt).to_have_text("Started again from the beginning. This is attempt 2.")
    run = puppet.store.runs.get(run_id)
    assert run is not None
    puppet.store.claims.record(run_id, 2, Batch(started=started(run.spec, 2, resumed_from=4)))
    expect(attempt).to_have_text("Resumed from the checkpoint at step 4. This is attempt 2.")
    puppet.finish(run_id)
    state(page).to_have_text("Finished")
    assert drawn(page).evaluate(f"plot => {TEST_POINTS}") == 13, "no point twice"


@pytest.mark.parametrize("path", ["/run?id=nosuchrun1234", "/run?id=<b>x</b>", "/run"])
def test_an_unknown_run_is_said_kindly(open_page: Open, watch: Watch, path: str) -> None:
    watch.expected += [f"status of 404 (Not Found) ({watch.url}/run"]
    page = open_page(path)
    expect(page.locator(".blank h1")).to_be_visible()
    expect(page.get_by_role("link", name="See all runs")).to_be_visible()


def test_clone_fills_the_form(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.submit(policy="random-4", epochs=3, train_examples=640, recipe={"lr": 0.3, "lr_drops": [0.9]})
    page = open_page(f"/run?id={run_id}")
    page.get_by_role("link", name="Change and run again").click()
    expect(page.locator('[data-slot="trainable"]')).to_have_text("2,240")
    expect(page.get_by_label("Training images")).to_have_value("640")
    assert "lr=0.3" in page.url and "lr_drops=0.9" in page.url
    puppet.claim(run_id)
    puppet.finish(run_id)


def test_downloads_and_links(open_page: Open, puppet: Puppet) -> None:
    run_id = puppet.done()
    page = open_page(f"/run?id={run_id}", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_text("Download", exact=True).click()
    for name, start in (("Points as CSV", "step,"), ("Points as JSON", "{"), ("Snapshots as JSON", "{")):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert Path(download.value.path()).read_text().startswith(start)
        assert run_id in download.value.suggested_filename
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_role("button", name="Copy link").click()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.keyboard.press("Escape")
    page.locator("summary", has_text="More").click()
    page.get_by_role("button", name="Copy command").click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("python -m core train --architecture resnet-14")


def test_a_name_is_text_and_never_markup(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start(name="γ = 0, β (x/y)")
    puppet.fail(run_id, "error", "<img src=x onerror=alert(1)> & <script>alert(2)</script>")
    page = open_page(f"/run?id={run_id}")
    expect(page.locator(".run-head .problem")).to_have_text("<img src=x onerror=alert(1)> & <script>alert(2)</script>")
    assert page.locator(".run-head img").count() == 0

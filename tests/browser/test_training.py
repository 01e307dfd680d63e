"""The whole path with a real worker: from the form to curves that a trainer draws, and to its end."""

from __future__ import annotations

import time

from playwright.sync_api import expect

from tests.browser.charts import drawn, until
from tests.browser.conftest import RUNNING, Open

POINTS = "plot.data.reduce((sum, trace) => sum + trace.x.length, 0)"


def test_launch_watch_cancel_and_come_back(open_working_page: Open) -> None:
    page = open_working_page(
        "/train?architecture=resnet-8&policy=batchnorm&dataset=digits&epochs=300&train_examples=256"
    )
    expect(page.locator('[data-slot="title"]')).to_have_text("ResNet-8")
    page.get_by_role("button", name="Launch", exact=True).click()
    page.wait_for_url("**/run?id=*")
    badge = page.locator(".run-title .badge")
    expect(badge).to_have_text(RUNNING, timeout=60_000)
    accuracy = drawn(page, "Accuracy")
    until(accuracy, f"{POINTS} > 4")
    grown = accuracy.evaluate(f"plot => {POINTS}")
    until(accuracy, f"{POINTS} > {grown + 3}")
    page.reload()
    until(drawn(page, "Accuracy"), f"{POINTS} > {grown + 3}")
    expect(badge).to_have_text(RUNNING)
    clicked = time.monotonic()
    page.get_by_role("button", name="Cancel").click()
    expect(badge).to_have_text("Cancelled")
    assert time.monotonic() - clicked < 6
    assert accuracy.evaluate(f"plot => {POINTS}") > grown + 3


def test_a_short_run_to_its_end(open_working_page: Open) -> None:
    page = open_working_page("/train?architecture=resnet-8&policy=all&dataset=digits&epochs=2&train_examples=256")
    expect(page.locator('[data-slot="title"]')).to_have_text("ResNet-8")
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator(".run-title .badge")).to_have_text("Finished", timeout=90_000)
    expect(page.locator('[data-slot="test"]')).to_contain_text("%")
    until(drawn(page, "Accuracy"), "plot.data[1].x.length === 3")

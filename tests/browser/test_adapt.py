"""Adaptation on the page of surgery: pictures that follow the slider, three numbers a row, files, errors, the end."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.catalog.corruptions import CORRUPTIONS
from core.run.adaptation import PREDICTIONS
from tests.browser.conftest import Open, Site, Watch, call
from tests.browser.puppet import Puppet
from tests.browser.states import EVALUATED_WITHIN_MS as PATIENCE_MS
from tests.browser.test_surgery import with_capsule

PIXELS = "all => all.map(canvas => [...canvas.getContext('2d').getImageData(0, 0, 8, 8).data].join())"


def card(page: Page) -> Any:
    found = page.locator(".adapt")
    found.scroll_into_view_if_needed()
    return found


def pictures(page: Page, count: int) -> list[str]:
    canvases = page.locator(".sights canvas")
    expect(canvases).to_have_count(count, timeout=PATIENCE_MS)
    found: list[str] = canvases.evaluate_all(PIXELS)
    return found


def adapted(page: Page, rows: int) -> Any:
    page.get_by_role("button", name="Adapt", exact=True).click()
    found = page.locator('[data-slot="adapted"] tbody').first.locator("tr")
    expect(found).to_have_count(rows, timeout=PATIENCE_MS)
    return found.first


def test_pictures_follow_the_slider_and_every_adaptation_is_a_row(
    open_working_page: Open, working_site: Site, trained: str
) -> None:
    page = open_working_page(f"/surgery?run={trained}")
    assert page.locator(".sights canvas").count() == 0, "nothing is asked for before somebody sees it"
    card(page)
    first = pictures(page, 12)
    assert first[:6] != first[6:]
    page.locator("#severity").fill("5")
    expect(page.locator(".sights-box p")).to_contain_text(f"Below: {CORRUPTIONS['gaussian-noise'].at(5)}, the standard")
    worse = pictures(page, 12)
    assert worse[:6] == first[:6] and worse[6:] != first[6:]
    page.get_by_label("Corruption", exact=True).select_option("brightness")
    expect(page.locator(".sights-box p")).to_contain_text("amount added to each value", timeout=PATIENCE_MS)
    page.locator("#severity").fill("0")
    assert pictures(page, 6) == first[:6]

    top1 = call(working_site, f"/api/runs/{trained}")["result"]["top1"]
    row = adapted(page, 1)
    expect(row).to_contain_text("None (clean)")
    expect(row.locator('[data-slot="trained"]')).to_contain_text(f"{100 * top1:.1f}%")
    page.locator("#severity").fill("4")
    page.get_by_text("Settings", exact=True).click()
    page.get_by_label("Learning rate").fill("0.01")
    row = adapted(page, 2)
    expect(row).to_contain_text("Brightness")
    expect(row).to_contain_text("359")

    page.locator(".adapted .data summary").click()
    with page.expect_download() as download:
        page.locator(".adapted").get_by_role("button", name="CSV").click()
    text = download.value.path().read_text()
    clean, bright = list(csv.DictReader(text.splitlines()))
    assert (clean["corruption"], bright["corruption"], bright["severity"], bright["lr"]) == (
        "none",
        "brightness",
        "4",
        "0.01",
    )
    assert float(clean["trained"]) == top1
    assert all(
        float(bright[f"{name} low"]) < float(bright[name]) < float(bright[f"{name} high"]) for name in PREDICTIONS
    )
    request = {"adapt": {"corruptions": ["brightness"], "severities": [4], "lr": 0.01, "batch_size": 64}}
    again = call(working_site, f"/api/runs/{trained}/evaluations", request)
    (stored,) = again["result"]["adapted"]
    assert stored["entropy"]["share"] == float(bright["entropy"]), "the page shows what the API says"
    assert json.loads(json.dumps(stored))["corruption"] == "brightness"


def test_what_is_wrong_stands_at_its_field(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    puppet.hello()
    page = open_page(f"/surgery?run={with_capsule(puppet)}")
    card(page)
    watch.expected.append("422")
    page.get_by_text("Settings", exact=True).click()
    rate, batch = page.get_by_label("Learning rate"), page.get_by_label("Test images per batch")
    rate.fill("fast")
    page.get_by_role("button", name="Adapt", exact=True).click()
    expect(page.locator(".adapt .field-problem")).to_have_text("Learning rate must be a number, got 'fast'.")
    expect(rate).to_have_attribute("aria-invalid", "true")
    rate.fill("0.001")
    batch.fill("400")
    page.get_by_role("button", name="Adapt", exact=True).click()
    expect(page.locator(".adapt .field-problem")).to_contain_text("Test images per batch must be below the 359")
    expect(batch).to_have_attribute("aria-invalid", "true")
    assert rate.get_attribute("aria-invalid") is None
    expect(page.locator(".adapt .problem:visible")).to_have_count(0)


def test_without_batchnorm_it_says_why_not(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/surgery?run={with_capsule(puppet, norm={'kind': 'group'})}")
    expect(card(page)).to_contain_text(
        "Adaptation needs BatchNorm; GroupNorm normalises each image by its own statistics"
    )
    expect(page.get_by_role("button", name="Adapt", exact=True)).to_have_count(0)


@pytest.mark.parametrize("name", ["Adapt", "Evaluate"])
def test_an_evaluation_can_be_cancelled(open_page: Open, puppet: Puppet, name: str) -> None:
    puppet.hello()
    page = open_page(f"/surgery?run={with_capsule(puppet)}&eps=0.02")
    job = page.locator(".job", has=page.get_by_role("button", name=name, exact=True))
    job.get_by_role("button", name=name, exact=True).click()
    cancel = job.get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible()
    cancel.click()
    expect(job.locator("[role=alert]:visible")).to_have_text("It was cancelled by the visitor who asked for it.")
    expect(cancel).to_be_hidden()

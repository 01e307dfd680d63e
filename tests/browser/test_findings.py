"""What the analyses found, on the page of a finished run."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from app.views.downloads import TABLES
from tests.browser.charts import LIGHT_TEXT, drawn, kinds, until
from tests.browser.conftest import RUNNING, Open, Watch
from tests.browser.puppet import Puppet
from tests.browser.test_run import state

ABLATION, RELUS, ZEROS = "Accuracy with small γ removed", "Dead ReLU channels", "How often each channel is zero"
CONDITIONS = "How evenly γ can be learned"


def test_a_run_shows_its_findings_once_it_is_finished(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start()
    puppet.advance(run_id, 0.5)
    page = open_page(f"/run?id={run_id}")
    state(page).to_have_text(RUNNING)
    drawn(page)
    heading = page.get_by_role("heading", name="The trained network, analysed")
    expect(heading).to_have_count(0)
    puppet.finish(run_id)
    expect(heading).to_be_visible()
    ablation = drawn(page, ABLATION)
    assert kinds(ablation) == ["bar", "scatter"]
    words = ablation.get_attribute("aria-label") or ""
    assert words.startswith("Threshold ablation: test accuracy ") and "with γ below 0.1 set to 0" in words
    relus = drawn(page, RELUS)
    assert kinds(relus) == ["bar", "bar"]
    words = relus.get_attribute("aria-label") or ""
    assert words.startswith("Dead ReLU channels: ") and "stage1.0.relu1" in words
    zeros = drawn(page, ZEROS)
    assert kinds(zeros) == ["heatmap"]
    words = zeros.get_attribute("aria-label") or ""
    assert words.startswith("How often each ReLU channel is zero: stem, half of 16 channels are zero for more than ")
    conditions = drawn(page, CONDITIONS)
    assert kinds(conditions) == ["scatter", "scatter"]
    words = conditions.get_attribute("aria-label") or ""
    assert words.startswith("Condition number of γ: before the first step half of the layers have more than 12.5, ")
    until(conditions, "plot.layout.yaxis.type === 'log' && plot.data[1].y[3] === 14")
    expect(page.locator('[data-slot="unused"]')).to_contain_text("12,345 of 174,970 parameters")
    expect(page.get_by_role("region", name="γ and β of all layers").locator("tbody tr")).to_have_count(2)
    page.get_by_text("Layer by layer (15)").click()
    rows = page.get_by_role("region", name="γ and β layer by layer").locator("tbody tr")
    expect(rows).to_have_count(15)
    expect(rows.first).to_contain_text("stem.norm")
    page.get_by_role("button", name="Switch to dark").click()
    until(drawn(page, ABLATION), f"plot.layout.font.color !== '{LIGHT_TEXT}'")


def test_a_run_that_computes_says_who_taught_it_and_what_each_layer_explains(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start(architecture="wrn-14-2", recipe={"optimizer": "least-squares"})
    puppet.advance(run_id, 0.5)
    page = open_page(f"/run?id={run_id}")
    story = page.locator('[data-slot="story"]')
    expect(story).to_contain_text("The teacher is in epoch 7 of 12; γ and β come last.")
    puppet.finish(run_id)
    expect(story).to_contain_text("γ and β are computed, nothing in this network trained.")
    card = page.locator("section").filter(has=page.get_by_role("heading", name="γ and β, computed"))
    expect(card).to_contain_text("From a trained ResNet-14, whose test accuracy is 96.1%, and 1,438 training images.")
    rows = page.get_by_role("region", name="Layers that were computed").locator("tbody tr")
    expect(rows).to_have_count(15)
    expect(rows.first).to_have_text("stem.norm16 of 3259.2%")
    expect(page.get_by_text("γ and β by least squares; the teacher by SGD")).to_be_visible()
    expect(page.get_by_text("Extend", exact=True)).to_be_hidden()


def test_a_run_without_findings_has_no_empty_panels(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start()
    puppet.advance(run_id, 0.5)
    puppet.fail(run_id, "error", "Something broke.")
    page = open_page(f"/run?id={run_id}")
    state(page).to_have_text("Failed")
    drawn(page)
    assert page.locator(".plot").count() == 6
    page.get_by_text("Download", exact=True).click()
    expect(page.get_by_role("link", name="Points as CSV")).to_be_visible()
    expect(page.get_by_role("link", name="Trained network (capsule)")).to_be_hidden()
    expect(page.get_by_role("link", name="Findings as CSV: layers")).to_be_hidden()


def test_nothing_of_it_is_wider_than_a_phone(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    page = open_page(f"/run?id={puppet.done()}", viewport={"width": 390, "height": 844})
    drawn(page, ABLATION)
    drawn(page, RELUS)
    page.get_by_text("Layer by layer (15)").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not watch.errors


def test_capsule_and_findings_can_be_downloaded(open_page: Open, puppet: Puppet) -> None:
    run_id = puppet.done()
    page = open_page(f"/run?id={run_id}")
    state(page).to_have_text("Finished")
    page.get_by_text("Download", exact=True).click()
    expect(page.get_by_role("link", name="Findings as CSV")).to_have_count(len(TABLES) - 1)
    expect(page.get_by_role("link", name="adapted")).to_have_count(0)  # this run does not ask for it
    for name, start, ending in (
        ("Findings as JSON", "{", ".json"),
        ("Findings as CSV: layers", "layer,", "-layers.csv"),
        ("Findings as CSV: ablation", "epsilon,", "-ablation.csv"),
        ("Findings as CSV: relus", "relu,", "-relus.csv"),
        ("Findings as CSV: jacobians", "layer,", "-jacobians.csv"),
        ("Trained network (capsule)", "a capsule", ".safetensors"),
    ):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert Path(download.value.path()).read_text().startswith(start)
        assert run_id in download.value.suggested_filename and download.value.suggested_filename.endswith(ending)

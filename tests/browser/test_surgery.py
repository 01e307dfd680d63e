"""Surgery on a run that a real worker has trained: threshold, edits, evaluations, an image to try."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from core.run.spec import RunSpec
from tests.app.api.test_evaluations import capsule_of
from tests.browser.conftest import Open, Site, Watch, call
from tests.browser.puppet import SPEC, Puppet
from tests.browser.states import EVALUATED_WITHIN_MS as PATIENCE_MS
from tests.browser.waits import still
from tests.events import finished


def slot(page: Page, name: str) -> Any:
    return expect(page.locator(f'[data-slot="{name}"]'))


def evaluated(page: Page) -> Any:
    """Evaluate, and what the result says then."""
    page.locator(".measure .primary").click()
    result = page.locator('[data-slot="result"]:not(.stale)')
    expect(result).to_be_visible(timeout=PATIENCE_MS)
    return expect(result)


def test_from_the_run_to_measured_edits(
    open_working_page: Open, working_site: Site, trained: str, tmp_path: Path
) -> None:
    findings = call(working_site, f"/api/runs/{trained}/findings")
    result = call(working_site, f"/api/runs/{trained}")["result"]
    total = findings["gamma"]["count"]
    page = open_working_page(f"/run?id={trained}")
    page.get_by_role("link", name="Surgery").click()
    page.wait_for_url("**/surgery?run=*")
    slot(page, "summary").to_have_text("No edits yet: this is the network as trained.")

    # The threshold: what is stored, at once, and what vanishes from the picture.
    slider = page.get_by_label("Set γ to 0 where |γ| < ε =")
    slider.focus()
    page.keyboard.press("End")
    row = findings["ablation"][-1]
    slot(page, "stored").to_have_text(f"{row['top1'] * 100:.1f}%")
    slot(page, "below").to_have_text(str(round(row["zeroed"] * total)))
    expect(page.locator(".network .hole")).to_have_count(1)
    assert "eps=0.5" in page.url
    told = page.locator(".network").get_attribute("aria-label") or ""
    assert f"{round(row['zeroed'] * total)} of {total} features" in told
    page.keyboard.press("ArrowLeft")
    slot(page, "stored-more").to_contain_text("stored for ε = 0.2 and 0.5")
    page.keyboard.press("End")
    evaluated(page).to_contain_text("The stored ablation at ε = 0.5 is exactly the same.")
    slot(page, "edited-top1").to_have_text(f"{row['top1'] * 100:.2f}%")
    evaluated(page).to_contain_text("The accuracy at the end of training is exactly the same.")

    page.get_by_label("Data of the chart Accuracy with small γ removed").click()
    numbers = page.get_by_role("region", name="Data: Accuracy with small γ removed").locator("tbody tr")
    expect(numbers).to_have_count(len(findings["ablation"]))
    expect(numbers.last).to_contain_text(f"{row['top1'] * 100:.1f}%")

    # Undo the way there, then single features and a whole layer.
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Reset everything").click()
    expect(page.locator(".network .hole")).to_have_count(0)
    expect(page.locator(".stale-note")).to_be_visible()
    page.get_by_role("button", name="stage1.0.norm1").click()
    first = page.locator(".feature").nth(0)
    first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Set γ to 0").click()
    items = page.locator(".edit-list li")
    expect(items).to_have_count(1)
    expect(items.first).to_contain_text("Features 0,2 of stage1.0.norm1: set to 0")
    expect(page.locator('.feature[data-state="off"]')).to_have_count(2)
    page.get_by_role("button", name="Flip sign").click()
    expect(items.nth(1)).to_contain_text("All of stage1.0.norm1: sign flipped")
    page.get_by_role("button", name="Undo").click()
    expect(items).to_have_count(1)
    page.get_by_role("button", name="Redo").click()
    expect(items).to_have_count(2)
    assert "edits=zero:stage1.0.norm1:0,2;flip:stage1.0.norm1" in page.url
    page.reload()
    expect(items).to_have_count(2)
    slot(page, "summary").to_contain_text("2 of 336 features")
    evaluated(page).to_contain_text("2 γ set to 0. Both networks were measured on all 359 test images")
    page.get_by_role("button", name="Remove edit: All of stage1.0.norm1").click()
    expect(items).to_have_count(1)
    page.get_by_role("button", name="Reset everything").click()
    page.get_by_role("button", name="Measure the original").click()
    expect(page.locator('[data-slot="result"]:not(.stale)')).to_be_visible(timeout=PATIENCE_MS)
    slot(page, "edited-top1").to_have_text(f"{result['top1'] * 100:.2f}%")


def test_an_image_of_the_test_set_drawn_and_uploaded(open_working_page: Open, trained: str, tmp_path: Path) -> None:
    page = open_working_page(f"/surgery?run={trained}&edits=zero:stem.norm:1,4&layer=stem.norm")
    looked = page.locator('[data-slot="looked"]')
    show = page.get_by_role("button", name="Classify")
    page.get_by_label("Image number (0 to 358)").fill("3")
    show.click()
    expect(looked).to_contain_text("Label: 9", timeout=PATIENCE_MS)
    expect(looked.locator("tbody tr")).to_have_count(10)
    expect(looked.locator(".map")).to_have_count(16)
    assert looked.locator(".map.off figcaption").all_inner_texts() == ["1 off", "4 off"]

    page.get_by_role("button", name="Draw", exact=True).click()
    show.click()
    expect(page.locator(".try [role=alert]:visible")).to_have_text("Draw something first.")
    sheet = page.locator(".drawing")
    box = sheet.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 128, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 128, box["y"] + 210, steps=5)
    page.mouse.up()
    sheet.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    expect(page.locator(".preview-image")).to_contain_text("8 × 8 pixels")
    expect(looked).to_contain_text("Your image", timeout=PATIENCE_MS)  # without a click, once the pen rests
    pixels = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 8, 8).data].filter((_, k) => k % 4 === 0)"
    drawn = looked.locator(".seen canvas").evaluate(pixels)
    assert max(drawn[3::8]) > 150 and drawn[0] == drawn[7] == 0, "a white stroke down the middle on black"

    path = tmp_path / "half.png"
    path.write_bytes(bytes(page.evaluate(PNG)))
    page.get_by_role("button", name="Upload").click()
    page.get_by_label("PNG or JPEG").set_input_files(path)
    expect(page.locator(".preview-image canvas")).to_be_visible()
    show.click()
    page.wait_for_function(f"({pixels})(document.querySelector('.seen canvas'))[0] === 255", timeout=PATIENCE_MS)
    seen = looked.locator(".seen canvas").evaluate(pixels)
    for row in (seen[:8], seen[-8:]):
        assert min(row[:3]) > 200 and max(row[5:]) < 60, "cut to its middle, not squeezed; in full height"
    page.get_by_label("PNG or JPEG").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"nonsense"})
    expect(page.locator(".image-source .problem")).to_contain_text("cannot read the image")

    # Everybody can use it on a phone at night, too; test_access looks at the rest of this page.
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function("document.body.classList.contains('dark')")
    still(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    violations = Axe().run(page).response["violations"]
    assert not violations, [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in violations]


PNG = """async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 300, height: 100 });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, 150, 100);
  pen.fillStyle = "#000";
  pen.fillRect(150, 0, 150, 100);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  return [...new Uint8Array(await blob.arrayBuffer())];
}"""
"""300 × 100 pixels, white on the left and black on the right, as bytes."""


def with_capsule(puppet: Puppet, **fields: Any) -> str:
    """A finished run of the puppet whose γ are made up."""
    spec = RunSpec.model_validate({**SPEC, **fields})
    run_id, _ = puppet.start(**fields)
    puppet.advance(run_id, 1.0)
    run = puppet.store.runs.get(run_id)
    assert run is not None and puppet.store.claims.finish(run_id, run.attempt, finished(spec), capsule_of(spec)[0])
    return run_id


def test_without_findings_and_without_a_worker_it_says_so(
    open_page: Open, site: Site, puppet: Puppet, watch: Watch
) -> None:
    page = open_page(f"/surgery?run={with_capsule(puppet)}&eps=0.02")
    slot(page, "stored-more").to_contain_text("not analysed; evaluate to measure it")
    expect(page.locator(".network .hole")).to_have_count(1)
    puppet.store.workers.bye([puppet.identity.name])
    watch.expected.append("503")
    until = time.monotonic() + 15
    while call(site, "/healthz")["workers"]:  # the server's count is a second old
        assert time.monotonic() < until
        time.sleep(0.1)
    page.get_by_role("button", name="Evaluate").click()
    problem = page.locator(".measure [role=alert]:visible")
    expect(problem).to_contain_text("This needs a worker, and none is connected")
    puppet.hello()


def test_a_run_without_its_gammas_can_be_edited_all_the_same(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/surgery?run={with_capsule(puppet, policy='output')}")
    expect(page.locator(".feature-panel")).to_contain_text("This layer’s γ did not train")
    page.get_by_role("button", name="Set γ to 0").click()
    slot(page, "summary").to_contain_text("16 of 560 features")


def test_what_cannot_be_operated_on_says_why(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    running, _ = puppet.start()
    page = open_page(f"/surgery?run={running}")
    expect(page.get_by_role("heading", name="This run is not finished")).to_be_visible()
    expect(page.get_by_role("link", name="Go to the run")).to_be_visible()
    puppet.finish(running)
    watch.expected.append("404")
    open_page(f"/surgery?run={running}", page=page)
    expect(page.locator(".blank")).to_contain_text("not a safetensors file")
    open_page("/surgery", page=page)
    expect(page.get_by_role("heading", name="Choose a run")).to_be_visible()
    expect(page.locator(f'.choices a[href="/surgery?run={running}"]')).to_be_visible()
    open_page("/surgery?run=nosuchrun1234", page=page)
    expect(page.locator(".blank")).to_contain_text("there is no run nosuchrun1234 here")


EDITS = """async () => {
  const { operate, count, fromText, toText, ranges, readLayers } = await import("/static/pages/surgery/edits.js");
  const layers = readLayers([
    { name: "a", channels: 4, gamma: [0.01, -0.01, 0.0099999, 0.5] },
    { name: "b", channels: 2, gamma: null },
  ]);
  const after = (state) => operate(layers, { eps: 0, edits: [], ...state }).map((gamma) => [...gamma]);
  const text = "zero:a:0-2;flip:b;reset";
  return {
    threshold: after({ eps: 0.01 })[0],
    order: after({ edits: fromText("zero:a:1;flip:a;reset:a:1", layers) })[0],
    unknown: after({ edits: fromText("zero:b:0;flip:b", layers) })[1].map(String),
    none: count(layers, operate(layers, { eps: 0, edits: fromText("flip:b", layers) })),
    same: toText(fromText(text, layers)) === text,
    nonsense: fromText("burn:a;zero:c;zero:a:9;zero:a:x;;flip:a:3,3,99999999", layers),
    ranges: ranges([7, 1, 0, 2]),
  };
}"""


def test_edits_in_the_browser_are_those_of_the_core(open_page: Open) -> None:
    found = open_page("/").evaluate(EDITS)
    assert [value == 0 for value in found["threshold"]] == [False, False, True, False], "as strict as in float32"
    assert found["order"] == pytest.approx([-0.01, -0.01, -0.0099999, -0.5])
    assert found["unknown"] in (["0", "NaN"], ["-0", "NaN"])
    assert found["none"] == {"off": 0, "changed": 0, "all": 6}
    assert found["same"] and found["ranges"] == "0-2,7"
    assert found["nonsense"] == [{"action": "flip", "layer": "a", "features": [3]}]

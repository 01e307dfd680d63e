"""Several tasks over one random network, trained by a real worker: flipping their γ, and what each switched off."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from core.run.pack import unpack
from tests.browser.conftest import TINY, TRAINED_WITHIN_S, Open, Site, call
from tests.browser.puppet import Puppet
from tests.browser.states import EVALUATED_WITHIN_MS as PATIENCE_MS
from tests.browser.test_surgery import with_capsule
from tests.browser.waits import still

PIXELS = "all => all.map(canvas => [...canvas.getContext('2d').getImageData(0, 0, 8, 8).data].join())"


@pytest.fixture(scope="module")
def tasks(working_site: Site) -> list[str]:
    """Two finished tasks of one network."""
    ids = [call(working_site, "/api/runs", {**TINY, "task": task})["id"] for task in ("whole", "rotated-1")]
    until = time.monotonic() + 2 * TRAINED_WITHIN_S
    for run_id in ids:
        while (state := call(working_site, f"/api/runs/{run_id}")["state"]) != "finished":
            assert state in ("queued", "running") and time.monotonic() < until, state
            time.sleep(0.3)
    return ids


def answered(page: Page, tasks: list[str]) -> Any:
    """The table of predictions, once every task has answered."""
    table = page.locator(".tasks-flip:not([aria-busy=true]) .tasks-answers")
    expect(table.locator("tbody td strong")).to_have_count(len(tasks), timeout=PATIENCE_MS)
    return table


def test_the_gammas_of_the_tasks_are_flipped_over_one_picture(
    open_working_page: Open, working_site: Site, tasks: list[str]
) -> None:
    page = open_working_page(f"/compare?runs={','.join(tasks)}")
    expect(page.locator("main, body").get_by_text("Rotated by 90°").first).to_be_visible()
    page.get_by_role("link", name="Flip the γ of 2 tasks").click()
    page.wait_for_url("**/tasks?runs=*")
    expect(page.locator(".tasks-head")).to_contain_text("2 tasks over the same random weights")
    answered(page, tasks)
    views = page.locator(".task-view canvas").evaluate_all(PIXELS)
    assert len(views) == 2 and views[0] != views[1]
    turned = [views[0].split(",")[4 * (8 * column + 7 - row)] for row in range(8) for column in range(8)]
    assert turned == views[1].split(",")[::4], "the second task sees the picture turned by 90°"

    own = call(working_site, f"/api/runs/{tasks[0]}/evaluations", {"look": {"index": 0, "layer": "stem.norm"}})
    until = time.monotonic() + PATIENCE_MS / 1000
    while own["state"] not in ("finished", "failed") and time.monotonic() < until:
        time.sleep(0.2)
        own = call(working_site, f"/api/evaluations/{own['id']}")
    zero = next(row for row in own["result"]["classes"] if row["class"] == 0)
    shown = page.locator(".tasks-answers tbody tr").first.locator("td").first
    expect(shown).to_contain_text(f"{100 * zero['unedited']:.2g}"[:2])

    maps = page.locator(".tasks-maps canvas")
    before = maps.evaluate_all(PIXELS)
    page.locator(".tasks-switch button").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tasks-switch [aria-pressed=true]")).to_have_text("Rotated by 90°")
    page.wait_for_function(
        "([q, p, b]) => JSON.stringify(eval(p)([...document.querySelectorAll(q)])) !== b",
        arg=[".tasks-maps canvas", PIXELS, json.dumps(before, separators=(",", ":"))],
    )
    page.locator(".task-view").nth(1).click()
    answered(page, tasks)
    assert f"gamma={tasks[1]}" in page.url and f"seen={tasks[1]}" in page.url
    flipped = maps.evaluate_all(PIXELS)
    page.reload()
    answered(page, tasks)
    expect(page.locator(".tasks-switch [aria-pressed=true]")).to_have_text("Rotated by 90°")
    assert maps.evaluate_all(PIXELS) == flipped, "the link shows the same"


def test_the_page_fits_a_phone_and_can_be_read_by_all(
    open_working_page: Open, working_site: Site, tasks: list[str]
) -> None:
    page = open_working_page(
        f"/tasks?runs={','.join(tasks)}", viewport={"width": 390, "height": 800}, color_scheme="dark"
    )
    answered(page, tasks)
    still(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    violations = Axe().run(page).response["violations"]
    assert not violations, [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in violations]


def test_what_each_task_switched_off_and_the_pack(
    open_working_page: Open, working_site: Site, tasks: list[str]
) -> None:
    page = open_working_page(f"/tasks?runs={','.join(tasks)}&eps=0.5")
    gammas = [
        [value for layer in call(working_site, f"/api/runs/{run_id}/parameters")["layers"] for value in layer["gamma"]]
        for run_id in tasks
    ]
    off = [[abs(value) < 0.5 for value in row] for row in gammas]
    cells = page.locator(".tasks-overlap tbody tr").first.locator("td")
    expect(cells.first).to_contain_text(str(sum(off[0])))
    both = sum(a and b for a, b in zip(*off, strict=True))
    expect(cells.nth(1)).to_have_text(f"{both} ({sum(off[0]) * sum(off[1]) / len(off[0]):.1f})")
    expect(page.locator(".task-strip").first.locator(".task-channel.off")).to_have_count(sum(off[0][:16]))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download pack").click()
    packed = unpack("x", Path(download.value.path()).read_bytes())
    assert [member.spec.task for member in packed] == ["whole", "rotated-1"]


def test_runs_without_a_common_network_are_told_what_is_needed(open_page: Open, puppet: Puppet) -> None:
    apart = [with_capsule(puppet), with_capsule(puppet, task="rotated-1", replicate=1)]
    page = open_page(f"/tasks?runs={','.join(apart)}")
    expect(page.locator("h1")).to_have_text("These runs make no pack")
    page = open_page("/tasks", page=page)
    expect(page.locator("h1")).to_have_text("One random network, many tasks")
    expect(page.get_by_role("link", name="Launch a rotated task")).to_have_attribute("href", "/train?task=rotated-1")

"""A label of workers in a browser: asked for on the Train page, and why the run waits on each page that shows it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from jobs.store.workers import Fit
from tests.browser.conftest import Open, Watch
from tests.browser.puppet import MACHINE, Puppet
from tests.browser.test_actions import opened, story
from tests.browser.train_page import more

WHY = "Needs a worker with the label a100; none is here."


def there(puppet: Puppet, *labels: str) -> None:
    """The puppet's worker is here, with these labels."""
    puppet.store.workers.hello(puppet.identity, 1, MACHINE, Fit(labels=labels))


def launch(page: Page) -> None:
    page.get_by_role("button", name="Launch", exact=True).click()


def test_from_the_form_to_the_reason_why_the_run_waits(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    watch.expected.append("422")
    for waiting in puppet.store.queue.waiting():
        puppet.store.runs.cancel(waiting)
    there(puppet, "big-memory", "gpu")
    page = open_page("/train")
    fields = more(page)
    field = fields.get_by_label("Worker label (optional)")
    expect(fields.get_by_text("Workers here have: big-memory, gpu.")).to_be_visible()
    offered = page.locator("#worker-labels option").evaluate_all("all => all.map(one => one.value)")
    assert offered == ["big-memory", "gpu"]
    field.fill("A100")
    launch(page)
    wrong = "'A100' is not a label: at most 32 lower-case letters, digits, - and _"
    expect(fields.locator("#worker-label-wrong")).to_contain_text(wrong)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator('[data-slot="launch-problem"]')).to_contain_text(f"Worker label: {wrong}")
    field.fill("a100")
    expect(fields.locator("#worker-label-wrong")).to_be_hidden()
    assert "a100" not in page.url, "the link of the form does not hold it"
    page.get_by_role("button", name="Recipe and more").click()
    expect(field).to_be_hidden()
    launch(page)
    page.wait_for_url("**/run?id=*")
    run_id = opened(page)
    assert puppet.store.runs.get(run_id).label == "a100", "also of a field that is folded away"
    story(page).to_have_text(f"{WHY} It will start when such a worker connects.")
    expect(page.locator(".spec")).to_contain_text(re.compile(r"Worker label\s*a100"))

    there(puppet, "big-memory", "gpu")
    runs = open_page("/runs")
    row = runs.locator("tr").filter(has=runs.locator(f'a[href="/run?id={run_id}"]'))
    expect(row.locator(".waits-for")).to_have_text(WHY)
    expect(runs.locator(".workers")).to_contain_text("labels big-memory, gpu")
    there(puppet, "a100")
    expect(row.locator(".waits-for")).to_be_hidden()
    there(puppet, "a100")
    expect(runs.locator(".workers")).to_contain_text("label a100")
    there(puppet, "a100")
    story(page).to_contain_text("Next in the queue.")
    run = puppet.store.claims.take(puppet.identity.name, Fit(labels=("a100",)))
    assert run is not None and run.id == run_id
    puppet.store.claims.cancel(run_id, run.attempt)


def test_ones_own_queue_says_which_run_needs_another_worker(open_page: Open, puppet: Puppet) -> None:
    for waiting in puppet.store.queue.waiting():
        puppet.store.runs.cancel(waiting)
    there(puppet)
    plain, token = puppet.submit(name="Plain")
    run, other = puppet.store.runs.submit(puppet.store.runs.get(plain).spec, label="a100")
    page = open_page("/runs")
    page.evaluate(
        "(all) => Object.entries(all).forEach(([id, token]) => localStorage.setItem(`onlybn.owner.${id}`, token))",
        {plain: token, run.id: other},
    )
    page.reload()
    entries = page.locator(".own-queue li")
    expect(entries).to_have_count(2)
    expect(entries.nth(0).locator(".waits-for")).to_be_hidden()
    expect(entries.nth(1).locator(".waits-for")).to_have_text(WHY)
    for one in (plain, run.id):
        puppet.store.runs.cancel(one)

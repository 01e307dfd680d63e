"""The page of all runs: table, filters, sorting, and the way to the comparison of chosen runs."""

from __future__ import annotations

from secrets import token_hex
from typing import Any
from urllib.parse import unquote

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Route, expect

from jobs.store.tables import RUNS
from tests.browser.conftest import RUNNING, Open, Watch
from tests.browser.puppet import Puppet

TRACES = (
    "document.querySelector('.overlay .plot')?.data?.map(trace => [trace.line.color, trace.line.dash, trace.x.length])"
)

KEEP = "tokens => Object.entries(tokens).forEach(([id, token]) => localStorage.setItem(`onlybn.owner.${id}`, token))"
"""What a browser that launched these runs has kept."""


@pytest.fixture(scope="module")
def four(puppet: Puppet) -> list[str]:
    """Finished runs that a search for their common name finds."""
    specs: tuple[dict[str, Any], ...] = (
        {"policy": "batchnorm"},
        {"policy": "batchnorm", "architecture": "resnet-20"},
        {"policy": "all"},
        {"policy": "output", "epochs": 5},
    )
    return [puppet.done(name=f"Quartet {k}", **spec) for k, spec in enumerate(specs)]


def names(page: Page) -> list[str]:
    return page.locator(".run-name").all_inner_texts()


def test_find_filter_and_sort_and_come_back_by_the_link(open_page: Open, four: list[str]) -> None:
    page = open_page("/runs")
    page.get_by_label("Find by name, id or tag").fill("Quartet")
    expect(page.locator(".runs-table tbody tr")).to_have_count(4)
    page.get_by_label("What trains").select_option("batchnorm")
    expect(page.locator(".runs-table tbody tr")).to_have_count(2)
    page.get_by_label("Architecture").select_option("resnet-20")
    expect(page.locator(".run-name")).to_have_text(["Quartet 1"])
    assert "architecture=resnet-20" in page.url
    page.get_by_label("Architecture").select_option("")
    page.get_by_label("What trains").select_option("")
    page.get_by_role("button", name="Test accuracy").last.click()
    page.wait_for_function("document.querySelector('[aria-sort=descending]')?.textContent === 'Test accuracy'")
    expect(page.locator(".run-name").first).to_have_text("Quartet 2")
    expect(page.locator(".run-name").last).to_have_text("Quartet 3")
    page.get_by_role("button", name="Test accuracy").last.click()
    expect(page.locator(".run-name").first).to_have_text("Quartet 3")
    again = open_page(page.url.removeprefix(page.evaluate("location.origin")))
    expect(again.locator(".run-name").first).to_have_text("Quartet 3")
    assert sorted(names(again)) == sorted(f"Quartet {k}" for k in range(4))
    again.get_by_label("Find by name, id or tag").fill("no such name")
    expect(again.get_by_text("No run matches these filters.")).to_be_visible()


def test_a_link_that_asks_for_what_cannot_be_says_so(open_page: Open, watch: Watch, four: list[str]) -> None:
    watch.expected.append("422")
    for query, words in (("sort=colour", "sort must be"), ("state=lost", "state"), (f"text={'x' * 101}", "text")):
        page = open_page(f"/runs?{query}")
        expect(page.get_by_role("alert")).to_contain_text(words)
        expect(page.get_by_text("Nothing has run here yet")).to_be_hidden()
    page.get_by_label("Find by name, id or tag").fill("Quartet")
    expect(page.locator(".runs-table tbody tr")).to_have_count(4)
    expect(page.get_by_role("alert")).to_be_hidden()
    assert page.get_by_label("Find by name, id or tag").get_attribute("maxlength") == "100"
    page = open_page("/runs?text=Quartet&sort=colour")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("button", name="Test accuracy").click()
    expect(page.locator(".runs-table tbody tr")).to_have_count(4)


def test_ticked_runs_lead_to_their_comparison(open_page: Open, four: list[str]) -> None:
    page = open_page("/runs?text=Quartet")
    expect(page.get_by_text("Select runs to compare")).to_be_visible()
    expect(page.get_by_role("link", name="Compare all 4 matches")).to_have_attribute("href", "/compare?text=Quartet")
    for name in ("Quartet 0", "Quartet 1", "Quartet 2"):
        page.get_by_label(f"Compare {name}").check()
    assert unquote(page.url).endswith(f"compare={','.join(four[:3])}&text=Quartet")
    page.reload()
    expect(page.get_by_label("Compare Quartet 1")).to_be_checked()
    expect(page.get_by_text("3 runs selected.")).to_be_visible()
    page.get_by_role("link", name="Compare selected").click()
    page.wait_for_function(f"{TRACES}?.length === 3")
    (color, dash, points), (deep_color, deep_dash, _), (other_color, *_) = page.evaluate(TRACES)
    assert points == 13
    assert color == deep_color and dash != deep_dash, "colour by policy, dash by architecture"
    assert other_color != color
    page.get_by_role("button", name="Remove Quartet 1", exact=True).click()
    page.wait_for_function(f"{TRACES}?.length === 2")
    page.get_by_role("link", name="Add runs").click()
    expect(page.get_by_text("2 runs selected.")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Select runs to compare")).to_be_visible()


def test_states_change_in_the_table(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start(name="Table watcher")
    page = open_page("/runs?text=Table+watcher")
    row = page.locator(".runs-table tbody tr")
    expect(row.locator(".badge")).to_have_text(RUNNING)
    page.get_by_label("Compare Table watcher").check()
    puppet.finish(run_id)
    expect(row.locator(".badge")).to_have_text("Finished")
    expect(page.get_by_label("Compare Table watcher")).to_be_checked()


def test_a_run_of_another_version_is_named_with_the_reason(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    good, bad = (puppet.done(name=f"Version {k}") for k in range(2))
    with puppet.store.database.writing() as connection:
        connection.execute(sa.update(RUNS).where(RUNS.c.id == bad).values(counts="{}"))
    page = open_page("/runs?text=Version")
    row = page.locator(".runs-table tbody tr").filter(has_text="Version 1")
    expect(row.locator(".badge")).to_have_text("Unreadable")
    expect(row).to_contain_text("This version cannot read it: counts.total: Field required.")
    expect(page.get_by_role("link", name="Version 0")).to_have_attribute("href", f"/run?id={good}")
    watch.expected.append("409")
    page.evaluate("id => localStorage.setItem('onlybn.pins', id)", bad)
    page.reload()
    expect(page.locator(".pinned li")).to_contain_text(f"This version cannot read the run {bad}.")
    page.get_by_role("button", name=f"Unpin {bad}").click()
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", name="This run cannot be read")).to_be_visible()
    expect(page.locator(".blank .problem")).to_contain_text("counts.total: Field required.")
    assert puppet.store.runs.remove(bad) is None


def test_all_ticked_runs_are_cancelled_or_deleted_at_once(open_page: Open, puppet: Puppet) -> None:
    """Of those that another browser launched, and of those for which it makes no sense, the page says so."""
    ended = {puppet.done(name=f"Flock {k}"): None for k in range(2)}
    mine, tokens = [], {}
    for k in range(2, 5):
        run_id, token = puppet.submit(name=f"Flock {k}")
        mine.append(run_id)
        tokens[run_id] = token
    for run_id in mine[:2]:
        puppet.claim(run_id)
        puppet.finish(run_id)
    foreign, _ = puppet.submit(name="Flock 5")
    page = open_page("/runs?text=Flock")
    page.evaluate(KEEP, tokens)
    for run_id in ended:
        page.get_by_label(f"Compare Flock {list(ended).index(run_id)}").check()
    bulk = page.get_by_role("group", name="Selected runs")
    expect(bulk).to_be_hidden()
    for k in range(2, 6):
        page.get_by_label(f"Compare Flock {k}").check()
    bulk.get_by_role("button", name="Cancel").click()
    toast = page.locator(".toast")
    expect(toast).to_contain_text("1 run cancelled. 5 unchanged: 3 launched in another browser; 2 already ended.")
    row = page.locator(".runs-table tbody tr").filter(has_text="Flock 4")
    expect(row.locator(".badge")).to_have_text("Cancelled")
    expect(bulk.get_by_role("button", name="Cancel")).to_be_hidden()
    assert puppet.store.runs.state(foreign) == "queued"
    bulk.get_by_role("button", name="Delete").click()
    expect(toast.last).to_contain_text("3 runs deleted. You can restore them for an hour. 3 unchanged")
    expect(page.locator(".runs-table tbody tr")).to_have_count(3)
    expect(page.get_by_text("3 runs selected.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(toast.last).to_contain_text("3 runs restored.")
    expect(page.locator(".runs-table tbody tr")).to_have_count(6)
    expect(page.get_by_text("6 runs selected.")).to_be_visible()
    puppet.store.runs.cancel(foreign)


def test_of_a_run_that_still_trains_the_page_does_not_say_that_it_has_stopped(open_page: Open, puppet: Puppet) -> None:
    run_id, token = puppet.start(name="Stopping soon")
    puppet.advance(run_id, 0.2)
    page = open_page("/runs?text=Stopping+soon")
    page.evaluate(KEEP, {run_id: token})
    page.get_by_label("Compare Stopping soon").check()
    page.get_by_role("group", name="Selected runs").get_by_role("button", name="Cancel").click()
    expect(page.locator(".toast")).to_contain_text(
        "1 run cancelled; 1 of them is still training and will stop in a moment."
    )
    puppet.obey_cancel(run_id)


def test_ones_own_waiting_runs_are_reordered_with_the_keyboard(open_page: Open, puppet: Puppet) -> None:
    for waiting in puppet.store.queue.waiting():
        puppet.store.runs.cancel(waiting)
    tokens = dict(puppet.submit(name=f"Mine {k}") for k in range(2))
    theirs, _ = puppet.submit(name="Theirs")
    tokens |= dict([puppet.submit(name="Mine 2")])
    a, b, c = tokens
    page = open_page("/runs")
    expect(page.get_by_role("heading", name="Your queued runs")).to_be_hidden()
    page.evaluate(KEEP, tokens)
    page.reload()
    entries = page.locator(".own-queue li")
    expect(entries.locator("a")).to_have_text(["Mine 0", "Mine 1", "Mine 2"])
    expect(entries.locator(".own-queue-place")).to_have_text(["1", "2", "4"])
    up = page.get_by_role("button", name="Move up: Mine 2")
    up.focus()
    page.keyboard.press("Enter")
    expect(entries.locator("a")).to_have_text(["Mine 0", "Mine 2", "Mine 1"])
    expect(up).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("Mine 2 is now number 2 in the queue.")
    assert puppet.store.queue.waiting() == [a, c, theirs, b]
    page.keyboard.press("Enter")
    expect(entries.locator("a")).to_have_text(["Mine 2", "Mine 0", "Mine 1"])
    expect(up).to_have_attribute("aria-disabled", "true")
    held: list[Route] = []
    page.route("**/api/runs/order", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/api/runs/order"):
        page.get_by_role("button", name="Move up: Mine 1").click()
    page.get_by_role("button", name="Move to the front: Mine 1").click()  # before the first move is answered
    held[0].continue_()
    expect(entries.locator("a")).to_have_text(["Mine 1", "Mine 2", "Mine 0"])
    expect(page.locator("#announcer")).to_have_text("Mine 1 is now number 1 in the queue.")
    assert puppet.store.queue.waiting() == [b, c, theirs, a]
    puppet.claim(b)
    expect(entries.locator("a")).to_have_text(["Mine 2", "Mine 0"])
    puppet.finish(b)
    for waiting in puppet.store.queue.waiting():
        puppet.store.runs.cancel(waiting)
    expect(page.get_by_role("heading", name="Your queued runs")).to_be_hidden()


def test_who_trains_here_stands_above_the_table(open_page: Open, puppet: Puppet) -> None:
    for left in puppet.store.claims.held():  # by other tests
        puppet.store.claims.fail(left.id, left.attempt, "error", "left over")
    run_id, _ = puppet.start()
    page = open_page("/runs")
    puppet.hello()  # late, as who is not heard of for ten seconds is not there
    lines = page.get_by_role("list", name="Workers").get_by_role("listitem")
    expect(lines.first).to_contain_text(" · load 3.1 on 4 cores · 41\u202fGB of disk free")
    expect(lines.first).to_contain_text(f"Worker on {puppet.identity.host}: training 1 run ·")
    puppet.finish(run_id)
    puppet.store.workers.bye([puppet.identity.name])
    expect(lines).to_have_text(["No worker is running. Queued runs will start when one connects."])
    puppet.hello()
    expect(lines.first).to_contain_text(": idle ·")


def test_several_workers_fold_out_of_one_line(open_page: Open) -> None:
    machine = {"cores": 4, "load": 3.1, "disk_free_bytes": 41e9, "processor": None}
    alike = {"machine": machine, "trouble": None, "note": None, "labels": []}
    seen = [{**alike, "host": f"lab-{k}", "running": k} for k in range(3)]
    seen[2]["trouble"] = "It takes no runs: its disk is full."
    page = open_page("/about")
    page.route("**/api/workers", lambda route: route.fulfill(json={"workers": seen, "mode": "open"}))
    open_page("/runs", page=page)
    line = page.locator(".workers summary")
    expect(line).to_have_text("3 workers: training 3 runs · 1 needs attention")
    lines = page.get_by_role("list", name="Workers").get_by_role("listitem")
    expect(lines.first).to_be_hidden()
    line.click()
    expect(lines).to_have_count(3)
    expect(lines.nth(2)).to_contain_text("lab-2: training 2 runs · It takes no runs: its disk is full.")
    del seen[1:]
    expect(line).to_be_hidden()
    expect(lines).to_have_text(["Worker on lab-0: idle · load 3.1 on 4 cores · 41\u202fGB of disk free"])


def test_pages_of_a_long_history(open_page: Open, puppet: Puppet) -> None:
    mark = token_hex(4)  # a second try finds the runs of the first one
    for k in range(27):
        puppet.store.runs.cancel(puppet.submit(name=f"Chronicle {mark} {k}")[0])
    page = open_page(f"/runs?text={mark}")
    expect(page.locator(".pager")).to_contain_text("1 to 25 of 27")
    page.get_by_role("button", name="Older").click()
    expect(page.locator(".runs-table tbody tr")).to_have_count(2)
    expect(page.get_by_role("button", name="Older")).to_be_disabled()
    assert "page=2" in page.url
    for beyond in ("9", "1e30"):
        page = open_page(f"/runs?text={mark}&page={beyond}")
        expect(page.locator(".pager")).to_contain_text("26 to 27 of 27")
        assert "page=2" in page.url
    page = open_page(f"/runs?text={mark}&page=1.5")
    expect(page.locator(".pager")).to_contain_text("1 to 25 of 27")


def test_ones_own_waiting_runs_are_dragged(open_page: Open, puppet: Puppet) -> None:
    for waiting in puppet.store.queue.waiting():
        puppet.store.runs.cancel(waiting)
    tokens = dict(puppet.submit(name=f"Dragged {k}") for k in range(2))
    theirs, _ = puppet.submit(name="Theirs")
    tokens |= dict([puppet.submit(name="Dragged 2")])
    a, b, c = tokens
    page = open_page("/about")
    page.evaluate(KEEP, tokens)
    open_page("/runs", page=page)
    entries = page.locator(".own-queue li")
    expect(entries.locator("a")).to_have_text(["Dragged 0", "Dragged 1", "Dragged 2"])
    entries.nth(2).locator(".own-queue-handle").drag_to(entries.nth(0))
    expect(entries.locator("a")).to_have_text(["Dragged 2", "Dragged 0", "Dragged 1"])
    expect(page.locator("#announcer")).to_have_text("Dragged 2 is now number 1 in the queue.")
    assert puppet.store.queue.waiting() == [c, a, theirs, b]
    for waiting in puppet.store.queue.waiting():
        puppet.store.runs.cancel(waiting)

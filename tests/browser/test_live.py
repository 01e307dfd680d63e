"""What a page that is open for long must do: ask for little, stop asking, survive the server, and not grow."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import Any

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.charts import drawn, until
from tests.browser.conftest import RUNNING, Open, Site, Watch
from tests.browser.puppet import Puppet
from tests.browser.waits import still

TICKS = 300
RECOVERS_WITHIN_S = 15.0
"""10 s are promised; here four pages share the machine."""


def feed_requests(page: Page) -> list[str]:
    """The bodies of the feed's questions from now on."""
    bodies: list[str] = []
    page.on("request", lambda request: bodies.append(request.post_data or "") if "/api/" in request.url else None)
    return bodies


def timed(open_page: Open, path: str) -> Page:
    """A page whose clock the test may turn on."""
    page = open_page("/about")
    page.clock.install()
    return open_page(path, page=page)


def minutes_questions(page: Page) -> int:
    """How many questions a `timed` page asks in a minute of its time; all of them are answered afterwards."""
    asked: list[Request] = []

    def hear(request: Request) -> None:
        asked.append(request)

    page.on("request", hear)
    page.clock.run_for(60_000)
    still(page)
    page.remove_listener("request", hear)
    for question in asked:
        question.response()
    return len(asked)


def test_nothing_is_asked_once_a_run_is_over(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start()
    puppet.advance(run_id, 0.5)
    page = timed(open_page, f"/run?id={run_id}")
    expect(page.locator(".run-title .badge")).to_have_text(RUNNING)
    drawn(page, "Accuracy")
    asked = feed_requests(page)
    began = time.monotonic()
    wait_for(page, asked, 6)
    assert time.monotonic() - began > 3, (
        "five questions in three seconds are enough: the outlook asks now and then, too"
    )
    assert json.loads(next(body for body in reversed(asked) if body))["runs"][run_id]["points"] > 70, (
        "only what is new is asked for"
    )
    puppet.finish(run_id)
    expect(page.locator(".run-title .badge")).to_have_text("Finished")
    assert any(minutes_questions(page) == 0 for _ in range(12)), "it never stops"
    assert minutes_questions(page) == 0


def test_a_hidden_page_asks_rarely_and_in_the_end_nothing(open_page: Open, puppet: Puppet) -> None:
    run_id, _ = puppet.start()
    page = timed(open_page, f"/run?id={run_id}")
    expect(page.locator(".run-title .badge")).to_have_text(RUNNING)
    hide = """hidden => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    minutes_questions(page)  # what was under way
    assert 2 <= minutes_questions(page) <= 5, "every 15 s, for the title and the icon"
    puppet.finish(run_id)
    assert any(minutes_questions(page) == 0 for _ in range(12)), "it never stops"
    page.evaluate(hide, False)
    expect(page.locator(".run-title .badge")).to_have_text("Finished")


def test_pages_recover_by_themselves_when_the_server_comes_back(
    open_page: Open, puppet: Puppet, site: Site, watch: Watch
) -> None:
    watch.expected += ["ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET"]
    run_id, _ = puppet.start(name="Interrupted")
    puppet.advance(run_id, 0.2)
    pages = {
        f"/run?id={run_id}": ".run-title .badge",
        "/runs": "tr:has(a:text-is('Interrupted')) .badge:not(.example-mark)",
        f"/compare?runs={run_id}": ".legend-row .badge",
        "/": ".latest li:has-text('Interrupted') .badge",
    }
    open_pages = {path: open_page(path) for path in pages}
    for path, page in open_pages.items():
        expect(page.locator(pages[path])).to_have_text(RUNNING)
    site.stop()
    for page in open_pages.values():
        expect(page.locator(".lost")).to_contain_text("Reconnecting")
    puppet.finish(run_id)
    site.start()
    back = time.monotonic()
    for path, page in open_pages.items():
        expect(page.locator(pages[path])).to_have_text("Finished", timeout=RECOVERS_WITHIN_S * 1000)
        expect(page.locator(".lost")).to_be_empty()
    assert time.monotonic() - back < RECOVERS_WITHIN_S


def test_a_connection_that_stalls_is_given_up(open_page: Open, puppet: Puppet) -> None:
    """The page's patience is made 30 times shorter, so that the test need not wait for it."""
    run_id, _ = puppet.start()
    puppet.advance(run_id, 0.2)
    page = open_page(f"/run?id={run_id}")
    expect(page.locator(".run-title .badge")).to_have_text(RUNNING)
    page.evaluate(
        "() => { const real = AbortSignal.timeout; AbortSignal.timeout = (ms) => real.call(AbortSignal, ms / 30) }"
    )
    page.route("**/api/feed", lambda route: None)
    expect(page.locator(".lost")).to_contain_text("Reconnecting")
    page.unroute_all(behavior="ignoreErrors")
    puppet.finish(run_id)
    expect(page.locator(".run-title .badge")).to_have_text("Finished")
    expect(page.locator(".lost")).to_be_empty()


def test_too_many_requests_are_no_lost_connection(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    """A proxy before the server may say so. What it asks for is kept to, also where a reader makes the page ask."""
    watch.expected.append("429")
    run_id, _ = puppet.start()
    puppet.advance(run_id, 0.2)
    page = open_page(f"/run?id={run_id}")
    expect(page.locator(".run-title .badge")).to_have_text(RUNNING)
    asked: list[float] = []

    def refuse(route: Route) -> None:
        asked.append(time.monotonic())
        route.fulfill(status=429, headers={"Retry-After": "9"}, body="slow down")

    page.route("**/api/feed", refuse)
    banner = page.locator(".lost")
    expect(banner).to_contain_text("Too many requests: this page resumes in 9 s.")
    expect(banner).not_to_contain_text("Reconnecting")
    expect(banner.locator("[aria-hidden]")).to_contain_text("resumes in 7 s")
    page.get_by_label("Layer of the γ panels").select_option(index=1)  # which asks the feed at once
    expect(banner.locator("[aria-hidden]")).to_contain_text("resumes in 5 s")
    assert all(later - earlier > 8.9 for earlier, later in pairwise(asked)), asked
    page.unroute("**/api/feed")
    puppet.finish(run_id)
    expect(page.locator(".run-title .badge")).to_have_text("Finished")
    expect(banner).to_be_empty()
    assert time.monotonic() - asked[0] > 8.9


def test_the_newest_point_of_a_long_run_is_drawn_once(open_page: Open, puppet: Puppet) -> None:
    """The feed thins such a run; its newest point comes ahead of those that will stand for it."""
    run_id, _ = puppet.start(architecture="resnet-32", dataset="cifar-10", epochs=160)
    page = open_page(f"/run?id={run_id}")
    epochs_of = "plot.data.find(({ name }) => name === 'train')?.x"
    for share in (0.25, 0.5, 0.75):
        puppet.advance(run_id, share)
        accuracy = drawn(page, "Accuracy")
        until(accuracy, f"{epochs_of}?.at(-1) === {share * 160}")
        epochs = accuracy.evaluate(f"plot => {epochs_of}")
        assert epochs == sorted(set(epochs)) and len(epochs) == round(share * 240)
    puppet.finish(run_id)
    until(accuracy, f"{epochs_of}?.length === 240")


def test_hundreds_of_ticks_leave_no_nodes_behind(open_page: Open, puppet: Puppet) -> None:
    """A feed that has something new at every tick, much faster than a real one."""
    run_id, _ = puppet.start()
    puppet.advance(run_id, 0.5)
    page = open_page(f"/run?id={run_id}")
    expect(page.locator(".run-title .badge")).to_have_text(RUNNING)
    drawn(page, "Accuracy")
    last: dict[str, int] = {}
    ticks: list[Route] = []

    def tick(route: Route) -> None:
        ticks.append(route)
        try:
            answer = route.fetch().json()
        except PlaywrightError:
            return  # the page closes
        news = answer["runs"][run_id]
        snapshot = {
            "id": 10_000,
            "step": 90,
            "epoch": 8.0,
            "gamma": [3] * 67,
            "beta": [3] * 67,
            "gamma_quantiles": None,
            "beta_quantiles": None,
            "disabled": [1] * 15,
            "kept": False,
        }
        last["id"] = last.get("id", 10_000) + 1
        epoch = 6 + len(ticks) * 0.05
        news["points"] = [[last["id"], 72 + len(ticks), epoch, "train", 1.0, 0.5, 0.1]]
        news["snapshots"] = [{**snapshot, "id": last["id"], "epoch": epoch}]
        news["speeds"] = [[last["id"], epoch, 1000.0]]
        news["log"] = [{"id": last["id"], "at": 0, "attempt": 1, "kind": "checkpoint", "message": "Checkpoint."}]
        news["cursor"] |= dict.fromkeys(("points", "snapshots", "log", "speeds"), last["id"])
        answer["interval_ms"] = 50
        route.fulfill(body=json.dumps(answer), content_type="application/json")

    def nodes() -> tuple[int, int, int]:
        """Elements in the document; nodes and listeners that the browser holds, detached ones included."""
        session = page.context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        counters = session.send("Memory.getDOMCounters")
        session.detach()
        return page.evaluate("document.querySelectorAll('*').length"), counters["nodes"], counters["jsEventListeners"]

    page.route("**/api/feed", tick)
    wait_for(page, ticks, 10)
    before = nodes()
    wait_for(page, ticks, 10 + TICKS)
    after = nodes()
    page.unroute_all(behavior="ignoreErrors")  # a tick may be under way
    puppet.finish(run_id)
    assert after[0] == before[0], (before, after)
    # What the last redraws threw away may still be held; a leak is at least a node or a listener a tick.
    assert after[1] - before[1] < TICKS, (before, after)
    assert after[2] - before[2] < TICKS, (before, after)


def wait_for(page: Page, seen: list[Any], number: int) -> None:
    """Wait until `seen` has so many."""
    until = time.monotonic() + 300
    while len(seen) < number:
        assert time.monotonic() < until, f"only {len(seen)}"
        page.wait_for_timeout(50)

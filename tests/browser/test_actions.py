"""What one can do with a run, what its page says in words, and what is pinned."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route, expect

from tests.browser.charts import drawn, until
from tests.browser.conftest import RUNNING, Open, Watch
from tests.browser.puppet import Puppet
from tests.browser.test_run import state


def story(page: Page) -> Any:
    return expect(page.locator(".story"))


def alert(page: Page, words: str) -> Any:
    return expect(page.get_by_role("alert").filter(has_text=words))


def opened(page: Page) -> str:
    """The id of the run that the page shows once it has moved on to another."""
    return parse_qs(urlsplit(page.url).query)["id"][0]


def own(page: Page, run_id: str, token: str) -> None:
    """Let the browser be the one that launched the run."""
    page.evaluate("([id, token]) => localStorage.setItem(`onlybn.owner.${id}`, token)", [run_id, token])
    page.reload()


def test_a_refused_cancel_rolls_back_and_says_why(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    watch.expected.append("503")
    run_id, token = puppet.start()
    puppet.advance(run_id, 0.3)
    page = open_page(f"/run?id={run_id}")
    own(page, run_id, token)
    state(page).to_have_text(RUNNING)
    held: list[Route] = []
    page.route("**/cancel", lambda route: held.append(route))
    with page.expect_request("**/cancel"):
        page.get_by_role("button", name="Cancel").click()
    for _ in range(2):
        with page.expect_response("**/api/feed"):
            pass
    state(page).to_have_text("Cancelling")
    story(page).to_contain_text("Stopping in epoch 4 of 12, as requested")
    held[0].fulfill(status=503, json={"detail": "the database does not respond right now; please try again"})
    alert(page, "the database does not respond").to_be_visible()
    state(page).to_have_text(RUNNING)
    expect(page.get_by_role("button", name="Cancel")).to_be_enabled()
    puppet.finish(run_id)


def test_a_failed_run_is_resumed_by_its_owner_and_retried_by_anybody(open_page: Open, puppet: Puppet) -> None:
    run_id, token = puppet.start(policy="output", epochs=11)
    puppet.advance(run_id, 0.5)
    puppet.checkpoint(run_id)
    puppet.fail(run_id, "out_of_memory", "There was not enough memory.")
    page = open_page(f"/run?id={run_id}")
    story(page).to_contain_text("Failed in epoch 6 of 11. The curves so far are kept.")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_be_hidden()
    own(page, run_id, token)
    page.get_by_role("button", name="Resume").click()
    state(page).to_have_text("Queued")
    story(page).to_contain_text("It reached epoch 6 of 11")
    expect(page.locator(".log li").first).to_contain_text("Queued again")
    puppet.claim(run_id)
    puppet.fail(run_id, "diverged", "The loss became infinite.")
    state(page).to_have_text("Failed")
    expect(page.get_by_role("button", name="Resume")).to_be_hidden()  # it would diverge again
    page.get_by_role("button", name="Retry").click()
    page.wait_for_url(lambda url: run_id not in url and "/run?id=" in url)
    state(page).to_have_text("Queued")
    again = puppet.store.runs.get(opened(page))
    assert again is not None and again.spec.policy == "output" and again.spec.epochs == 11
    page.get_by_role("button", name="Cancel").click()  # the retry is the visitor's own
    state(page).to_have_text("Cancelled")
    story(page).to_have_text("Cancelled before it learned anything.")
    page.get_by_role("button", name="Resume").click()
    state(page).to_have_text("Queued")
    page.get_by_role("button", name="Cancel").click()
    state(page).to_have_text("Cancelled")


def test_more_epochs_are_a_new_run_with_a_new_schedule(open_page: Open, puppet: Puppet) -> None:
    run_id = puppet.done(policy="batchnorm", epochs=7)
    page = open_page(f"/run?id={run_id}")
    page.locator("summary", has_text="Extend").click()
    expect(page.locator(".extend")).to_contain_text("new learning-rate schedule: 0.1")
    expect(page.locator(".extend")).to_contain_text("not identical to one longer run")
    page.get_by_label("More epochs").fill("5")
    page.locator(".extend").get_by_role("button", name="Launch").click()
    page.wait_for_url(lambda url: run_id not in url and "/run?id=" in url)
    more = puppet.store.runs.get(opened(page))
    assert more is not None and more.spec.epochs == 5 and more.spec.start is not None
    assert more.spec.name == f"{run_id} + 5 epochs, new schedule"
    puppet.store.runs.cancel(more.id)


def test_the_story_and_the_pinned_run(open_page: Open, puppet: Puppet) -> None:
    twin = puppet.done(policy="random-2", epochs=9, name="Random twin")
    run_id, _ = puppet.start(epochs=9)
    page = open_page(f"/run?id={run_id}")
    story(page).to_contain_text("Preparing")
    puppet.advance(run_id, 0.5)
    story(page).to_contain_text("In epoch 5 of 9.")
    story(page).to_contain_text("of the features are off, and test accuracy is")
    story(page).to_contain_text("; its twin with the same number of random weights was at")
    until(drawn(page, "Accuracy"), "plot.data.some(({ name }) => name === 'twin: random-2')")
    puppet.finish(run_id)
    story(page).to_contain_text("Finished after 9 epochs.")
    story(page).to_contain_text(" ended at ")
    page.locator(".story a").click()
    page.wait_for_url(f"**id={twin}")
    page.locator("summary", has_text="More").click()
    page.get_by_role("button", name="Pin").click()
    expect(page.get_by_role("status").filter(has_text="Pinned in this browser")).to_be_visible()
    other = puppet.done(policy="output", epochs=3)
    coloured = puppet.done(dataset="cifar-10", train_examples=640, test_examples=100, epochs=3, name="Coloured")
    page.evaluate(
        "(id) => localStorage.setItem('onlybn.pins', `${id},${localStorage.getItem('onlybn.pins')}`)", coloured
    )
    open_page(f"/run?id={other}", page=page)
    until(drawn(page, "Accuracy"), "plot.data.some(({ name }) => name === 'pinned: Random twin')")
    open_page("/runs", page=page)
    pinned = page.locator(".pinned li")
    expect(pinned).to_have_count(2)
    pinned.filter(has_text="Coloured").get_by_role("button").click()
    expect(pinned).to_contain_text("Random twin")
    pinned.get_by_role("button").click()
    expect(page.locator(".pinned-runs")).to_be_hidden()
    assert page.evaluate("localStorage.getItem('onlybn.pins')") is None


BASE: dict[str, Any] = {
    "state": "running",
    "spec": {"epochs": 40, "policy": "batchnorm", "recipe": {"optimizer": "sgd"}},
    "progress": {"step": 300, "total_steps": 1000, "tested": None, "analysed": None},
    "position": None,
    "top1": 0.5,
    "result": None,
    "cancel_requested": False,
    "url": "/run?id=x",
}


TOLD: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"state": "queued", "position": 1}, {"slots": 0}, "Next in the queue. It will start when a worker connects."),
    (
        {"state": "queued", "position": 3, "progress": {"step": 0, "total_steps": 9}},
        {"slots": 1, "starts": {"low": 60, "high": 180}},
        "2 runs are ahead of it. It will start in 1 to 3 min.",
    ),
    ({}, {}, "In epoch 13 of 40. 31% of the features are off, and test accuracy is 50.0%."),
    ({"top1": None}, {"off": None}, "In epoch 13 of 40. "),
    (
        {},
        {"twin": {"run": {"state": "running", "policy": "all"}, "tests": [{"epoch": 3, "top1": 0.2}]}, "epoch": 12},
        "its twin that trains “All parameters” is at 20.0% (epoch 3).",
    ),
    (
        {"state": "cancelled"},
        {
            "twin": {
                "run": {"state": "finished"},
                "tests": [{"epoch": 3, "top1": 0.2}, {"epoch": 40, "top1": 0.3}],
            },
            "epoch": 12,
        },
        "were off, and test accuracy was 50.0%; its twin with random weights was at 20.0% at this",
    ),
    (
        {"progress": {**BASE["progress"], "step": 1000, "analysed": 0.5}},
        {},
        "Analysing the trained network… 31% of the",
    ),
]
"""What is different from BASE, what else is known, and a part of what is to be said."""


def test_every_state_is_said_truly(open_page: Open) -> None:
    page = open_page("/runs?text=nothing")
    tell = """facts => import('/static/pages/run/head/story.js').then(({ story }) =>
        story(facts).map((part) => part.text ?? part).join(''))"""
    for run, facts, words in TOLD:
        told = {"off": 0.31, "epoch": None, "twin": None, "asMany": False, "starts": None, "slots": 1, **facts}
        if told["twin"]:
            rival = told["twin"]["run"]
            told["twin"]["run"] = {**BASE, **rival, "spec": {"policy": rival.get("policy", "random-2")}}
        assert words in page.evaluate(tell, {"run": {**BASE, **run}, **told})

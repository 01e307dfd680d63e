"""Webhooks in a browser: asked for on the Train page, seen by the owner alone, and sent again from the run's page."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import expect

from core.run.spec import RunSpec
from jobs.store.webhooks.endings import Wish
from tests.browser.conftest import Open, Watch
from tests.browser.puppet import SPEC, Puppet
from tests.browser.test_actions import own
from tests.browser.train_page import more

URL = "https://hooks.example.org/t0ld"


def ended(puppet: Puppet) -> tuple[str, str]:
    """A cancelled run with a webhook whose first attempt failed: its id and its owner's token."""
    run, token = puppet.store.runs.submit(RunSpec.model_validate(SPEC), webhook=Wish(URL, str))
    puppet.store.runs.cancel(run.id)
    attempt(puppet, run.id, "hooks.example.org did not answer")
    return run.id, token


def attempt(puppet: Puppet, about: str, problem: str | None = None) -> None:
    """Send as a worker would, which fails with `problem`, if any."""
    puppet.store.outbox.note()
    (message,) = (message for message in puppet.store.outbox.take(8) if message.about == about)
    if problem:
        puppet.store.outbox.failed(message, problem)
    else:
        puppet.store.outbox.delivered(message)


def test_an_address_from_the_form_to_the_run(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    watch.expected.append("422")
    page = open_page("/train")
    field = more(page).get_by_label("Webhook (optional)")
    problem = page.locator('[data-slot="launch-problem"]')
    for typed, said in (
        ("nonsense", "The webhook is not a valid address"),
        ("http://hooks.example.org/", "must begin with https://"),
        ("https://2130706433/", "must be on the Internet"),
    ):
        field.fill(typed)
        page.get_by_role("button", name="Launch").click()
        expect(problem).to_contain_text(said)
    field.fill(f"{URL}/ä😀")
    assert "hooks" not in page.url, "the link of the form does not hold it"
    page.get_by_role("button", name="Launch").click()
    page.wait_for_url("**/run?id=*")
    line = page.locator(".webhook-line")
    expect(line).to_contain_text("The webhook at hooks.example.org will be notified when the run has ended.")
    expect(line.get_by_role("button", name="Copy its secret")).to_be_visible()
    expect(line.get_by_role("button", name="Send again")).to_be_hidden()
    stranger = open_page(f"/run?{urlsplit(page.url).query}")
    expect(stranger.locator("h1")).to_be_visible()
    expect(stranger.locator(".webhook-line")).to_be_hidden()
    line.get_by_role("button", name="Remove the webhook").click()
    expect(line).to_be_hidden()
    page.get_by_role("button", name="Cancel").first.click()
    expect(page.locator(".run-title .badge")).to_contain_text("Cancelled")
    assert puppet.store.outbox.note() == 0


def test_a_failed_delivery_is_said_and_repeated(open_page: Open, puppet: Puppet) -> None:
    run_id, token = ended(puppet)
    page = open_page(f"/run?id={run_id}")
    own(page, run_id, token)
    line = page.locator(".webhook-line")
    told = re.compile(r"^The webhook at hooks\.example\.org did not answer: 1 attempt; next at \d\d:\d\d(:\d\d)?\.")
    expect(line).to_have_text(told)
    line.get_by_role("button", name="Send again").click()
    expect(line).to_contain_text("The webhook at hooks.example.org is being notified.")
    attempt(puppet, run_id)
    expect(line).to_contain_text(re.compile(r"The webhook at hooks\.example\.org was notified at \d\d:\d\d"))


def test_a_server_that_sends_none_offers_none(public_opener: tuple[Open, Watch]) -> None:
    page = public_opener[0]("/train")
    expect(more(page).get_by_label("Webhook (optional)")).to_be_hidden()


def test_a_study_of_the_paper_notifies_an_address_too(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    watch.expected.append("422")
    page = open_page("/paper#subsets")
    card = page.locator("#subsets")
    card.get_by_text("Notify an address at the end").click()
    field = card.get_by_label("Webhook (optional)")
    launch = card.get_by_role("button", name="Launch")
    field.fill("http://hooks.example.org/")
    launch.click()
    expect(card.get_by_role("alert")).to_contain_text("must begin with https://")
    field.fill(URL)
    launch.click()
    line = card.locator(".webhook-line")
    expect(line).to_contain_text("The webhook at hooks.example.org will be notified when the study has ended.")
    expect(field).to_be_hidden()
    line.get_by_role("button", name="Remove the webhook").click()
    expect(line).to_be_hidden()
    card.get_by_role("button", name="Cancel").click()
    expect(card.get_by_role("button", name="Resume")).to_be_visible()
    assert puppet.store.outbox.note() == 0

"""The Paper page: questions with their claims, a study from its launch to its verdict, cancel, resume, permalinks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.studies.catalog.table import STUDIES, study_spec
from tests.browser.conftest import Open, Site, play, serve
from tests.browser.puppet import Puppet


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server of their own: what other tests ran would count as runs of a study, and as a measure of its cost."""
    yield from serve(tmp_path_factory.mktemp("paper"))


@pytest.fixture(scope="module")
def puppet(site: Site) -> Iterator[Puppet]:
    yield from play(site)


@pytest.fixture(autouse=True)
def _nothing_waits(puppet: Puppet) -> Iterator[None]:
    yield
    for waiting in puppet.store.queue.waiting():
        puppet.store.runs.cancel(waiting)


def train(puppet: Puppet, runs: int = 99) -> None:
    """The next `runs` runs of the queue, whole."""
    for _ in range(runs):
        waiting = puppet.store.queue.waiting()
        if not waiting:
            return
        puppet.claim(waiting[0])
        puppet.finish(waiting[0])


def opened(page: Page, name: str) -> Locator:
    """The card of a question, open."""
    card = page.locator(f"#{name}")
    if card.get_attribute("open") is None:
        card.locator(":scope > summary").click()
    return card


def test_a_row_has_the_claim_and_the_papers_differences(open_page: Open) -> None:
    page = open_page("/paper")
    expect(page.locator("details.question")).to_have_count(len(STUDIES))
    expect(page.get_by_role("navigation", name="Pages").get_by_text("Paper")).to_have_attribute("aria-current", "page")
    row = page.locator("#depth > summary")
    expect(row).to_contain_text("accuracy rises with depth")
    expect(row).to_contain_text("Paper+2.5 to +9.7CIFAR-10, 160 epochs, n=5")
    expect(row.locator("svg .theirs")).to_have_count(6)
    expect(row.locator("svg .ours")).to_have_count(0)
    expect(page.locator("#threshold > summary")).to_contain_text("(our reading)")
    expect(page.locator("#threshold > summary svg")).to_have_count(0)
    assert page.evaluate("typeof window.Plotly") == "undefined", "a closed page needs no chart"


def test_a_fresh_installation_has_results_and_few_words(browser: Browser, fresh_site: Site) -> None:
    page = browser.new_page()
    page.goto(f"{fresh_site.url}/paper")
    row = page.locator("#random-k > summary")
    expect(row.locator(".verdict")).to_have_text("holds here")
    expect(row).to_contain_text("Fashion-MNIST, 8,000 images, 4 epochs, n=3")
    expect(row.locator("svg .ours")).to_have_count(1)
    words = [word for word in page.locator("body").inner_text().split() if any(map(str.isalpha, word))]
    assert len(words) <= 700
    card = opened(page, "random-k")
    expect(card.get_by_role("button", name="Repeat it here")).to_be_visible()
    expect(card.locator(".origin")).to_contain_text("python -m core studies run random-k --scale minutes")
    page.close()


def test_every_question_says_what_it_costs_before_anything_runs(open_page: Open) -> None:
    page = open_page("/paper")
    card = opened(page, "subsets")
    expect(card).to_contain_text("beats BatchNorm alone")
    expect(card.locator(".verdict")).to_have_text("not run here yet")
    expect(card.locator(".cost")).to_contain_text(re.compile(r"24 runs, about \d min on two ordinary cores"))
    key = "paper, read off a figure, ±0.5 points (ResNet-32, CIFAR-10, 160 epochs)"
    expect(card.locator(".figure-key")).to_contain_text(key)
    expect(card.get_by_role("button", name="Launch")).to_be_visible()
    expect(card.get_by_role("button", name="Cancel")).to_be_hidden()
    quote = opened(page, "norm-init").locator(".quoted", has_text="1.6 to 3.4 points above the standard one")
    expect(quote.first).to_contain_text("(paper, read off a figure, ±0.5 points: v1, main figure)")
    card.get_by_role("button", name="Paper", exact=True).click()
    expect(card.locator(".cost")).to_contain_text("280 runs, about 222 days")
    assert page.url.endswith("/paper?scale=paper#subsets")
    page.reload()
    expect(page.locator("#subsets .cost")).to_contain_text("280 runs")
    expect(opened(page, "threshold").locator(".figure-key")).to_contain_text(
        "We do not know the paper's values for this"
    )


def test_a_study_from_launch_to_verdict(open_page: Open, puppet: Puppet) -> None:
    page = open_page("/paper#random-k")
    card = page.locator("#random-k")
    card.get_by_role("button", name="Launch").click()
    expect(card.locator(".standing")).to_have_text("0 of 18 runs finished · in the queue")
    expect(card.get_by_role("button", name="Launch")).to_be_hidden()
    expect(card.locator(".verdict")).to_have_text("0 of 18 runs")
    assert re.search(r"/paper\?study=\w+#random-k$", page.url)
    train(puppet, 6)
    expect(card.locator(".standing")).to_contain_text("6 of 18 runs finished")
    train(puppet)
    expect(card.locator(".verdict")).to_have_text("holds here")
    expect(card.locator(".verdict-words")).to_contain_text("BatchNorm only minus 2 random weights per channel")
    expect(card.get_by_role("button", name="Cancel")).to_be_hidden()
    card.get_by_text("All its runs").click()
    expect(card.locator("tbody tr:visible")).to_have_count(18)
    page.reload()
    expect(card.locator(".verdict")).to_have_text("holds here")
    with page.expect_download() as download:
        card.get_by_role("link", name="Report").click()
    assert download.value.suggested_filename.startswith("onlybn-random-k-minutes-")
    with page.expect_download() as download:
        card.get_by_role("link", name="CSV").click()
    assert "resnet-14,random-16" in download.value.path().read_text()
    card.get_by_role("link", name="Compare its runs").click()
    expect(page.locator(".legend-list > li")).to_have_count(6)
    expect(page.locator(".legend-list li li")).to_have_count(18)


def test_cancel_resume_and_the_visitor_who_only_looks(open_page: Open, puppet: Puppet) -> None:
    page = open_page("/paper#without-batchnorm")
    card = page.locator("#without-batchnorm")
    card.get_by_role("button", name="Launch").click()
    expect(card.get_by_role("button", name="Cancel")).to_be_visible()
    train(puppet, 3)
    link = page.url
    visitor = open_page(link.partition("//")[2].partition("/")[2].join(("/", "")))
    theirs = visitor.locator("#without-batchnorm")
    expect(theirs.locator(".standing")).to_contain_text("3 of 20 runs finished")
    expect(theirs.get_by_role("button", name="Cancel")).to_be_hidden()
    card.get_by_role("button", name="Cancel").click()
    expect(card.locator(".standing")).to_have_text("3 of 20 runs finished · 17 cancelled")
    card.get_by_role("button", name="Resume").click()
    expect(card.locator(".standing")).to_have_text("3 of 20 runs finished")
    train(puppet)
    expect(card.locator(".standing")).to_have_text("20 of 20 runs finished")


def test_who_launched_a_study_can_cancel_one_of_its_runs(open_page: Open, puppet: Puppet) -> None:
    page = open_page("/paper#without-batchnorm")
    card = page.locator("#without-batchnorm")
    card.get_by_role("button", name="Paper", exact=True).click()
    card.get_by_role("button", name="Launch").click()
    expect(card.locator(".standing")).to_contain_text("in the queue")
    card.get_by_text("All its runs").click()
    card.locator("tbody a:visible").last.click()
    expect(page.locator(".run-title .badge")).to_have_text("Queued")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".run-title .badge")).to_have_text("Cancelled")


def test_a_failed_run_is_named_and_a_new_launch_repeats_only_it(open_page: Open, puppet: Puppet) -> None:
    launched = puppet.store.studies.launch(study_spec("weight-init", "minutes"))
    puppet.claim(launched.new_runs[0])
    puppet.fail(launched.new_runs[0], "diverged", "The loss became infinite.")
    train(puppet)
    page = open_page(f"/paper?study={launched.id}")
    card = page.locator("#weight-init")
    expect(card.locator(".standing")).to_have_text("19 of 20 runs finished · 1 failed")
    card.get_by_text("All its runs").click()
    expect(card).to_contain_text("The loss became infinite.")
    card.get_by_role("button", name="Launch").click()
    expect(card.locator(".standing")).to_have_text("19 of 20 runs finished")
    assert len(puppet.store.queue.waiting()) == 1


def test_a_link_to_a_study_that_is_not_here(open_page: Open, watch: object) -> None:
    watch.expected.append("404")  # type: ignore[attr-defined]
    page = open_page("/paper?study=nosuchstudy")
    expect(page.get_by_text("There is no study nosuchstudy on this server")).to_be_visible()
    expect(page.locator("details.question")).to_have_count(len(STUDIES))


def test_a_refusal_is_said_in_its_card(open_page: Open, watch: object) -> None:
    watch.expected.append("429")  # type: ignore[attr-defined]
    page: Page = open_page("/paper")
    page.route(
        "**/api/studies",
        lambda route: (
            route.fulfill(status=429, json={"detail": "The queue is full."})
            if route.request.method == "POST"
            else route.continue_()
        ),
    )
    card = opened(page, "gamma")
    card.get_by_role("button", name="Launch").click()
    expect(card.get_by_role("alert")).to_have_text("The queue is full.")
    expect(card.get_by_role("button", name="Launch")).to_be_enabled()

"""A question of a visitor's own, from the form to its verdict: typed, priced, launched, answered, and asked again."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Open, Watch
from tests.browser.puppet import Puppet

FORM = "/train?architecture=resnet-14&dataset=digits&epochs=2"
YAML = """title: Two rates
claim: {kind: same, field: recipe.lr, margin: 5}
base: {architecture: resnet-20, policy: output, dataset: digits, epochs: 3}
vary:
  recipe.lr: [0.01, 0.1]
replicates: 4
order: 9
"""


@pytest.fixture
def open_form(open_page: Open, puppet: Puppet) -> Iterator[Open]:
    """Opens pages of the site. Nothing is left waiting there."""
    yield open_page
    for waiting in puppet.store.queue.waiting():
        puppet.store.runs.cancel(waiting)


def asking(page: Page) -> Locator:
    """The block of the question, which is opened by the keyboard."""
    block = page.locator("#ask")
    summary = block.get_by_text("Ask your own question")
    summary.locator("xpath=ancestor::summary").focus()
    page.keyboard.press("Enter")
    expect(block.get_by_label("Title")).to_be_visible()
    return block


def told(block: Locator) -> Locator:
    return block.locator(".asking-summary[data-state='ready']")


def test_a_question_from_the_form_to_its_verdict(open_form: Open, puppet: Puppet) -> None:
    page = open_form(FORM)
    block = asking(page)
    block.get_by_label("Title").fill("Do scales beat random weights?")
    block.get_by_label("Values").fill("batchnorm, random-2")
    block.get_by_label("Claim", exact=True).select_option("beats")
    block.get_by_label("Value", exact=True).select_option(label="batchnorm")
    block.get_by_label("Margin (points)").fill("5")
    expect(told(block)).to_contain_text("6 runs: 2 settings × 3 replicates.")
    expect(told(block)).to_contain_text("Price: about")
    expect(told(block)).to_contain_text("BatchNorm only beats every other value of policy by more than 5 points.")
    block.get_by_role("button", name="Launch all runs").press("Enter")
    page.wait_for_url("**/compare?study=*&group=policy")
    expect(page.get_by_role("heading", level=1)).to_have_text("Do scales beat random weights?")
    card = page.get_by_role("region", name="Question")
    expect(card).to_contain_text("0 of 6 runs finished")
    expect(card.get_by_role("button", name="Cancel")).to_be_visible()
    for waiting in puppet.store.queue.waiting():
        puppet.claim(waiting)
        puppet.finish(waiting)
    expect(card.locator(".verdict")).to_have_text("holds here")
    expect(card).to_contain_text("BatchNorm only minus 2 random weights per channel")
    expect(card).to_contain_text("95% CI")
    expect(page.locator(".asking-summary")).to_have_count(0)
    csv = card.get_by_role("link", name="CSV").evaluate("link => link.href")
    assert page.request.get(csv).text().count("\n") == 7
    card.get_by_role("button", name="Change and ask again").click()
    page.wait_for_url("**/train*")
    again = page.locator("#ask")
    expect(again.get_by_label("Title")).to_have_value("Do scales beat random weights?")
    expect(again.get_by_label("Values")).to_have_value("batchnorm, random-2")
    expect(again.get_by_label("Claim", exact=True)).to_have_value("beats")
    expect(told(again)).to_contain_text("6 runs")


def test_an_error_stands_at_its_field(open_form: Open, watch: Watch) -> None:
    watch.expected.append("422")
    page = open_form(FORM)
    block = asking(page)
    values = block.get_by_label("Values")
    values.fill("batchnorm, everything")
    problem = block.locator(".asking-row .asking-field").last.locator(".asking-problem")
    expect(problem).to_contain_text("unknown policy 'everything'")
    expect(values).to_have_attribute("aria-invalid", "true")
    values.fill("batchnorm")
    expect(problem).to_be_hidden()
    block.get_by_label("Replicates").fill("500")
    expect(
        block.locator(".asking-field", has=page.get_by_label("Replicates")).locator(".asking-problem")
    ).to_contain_text("less than or equal to 100")
    block.get_by_label("Replicates").fill("3")
    block.get_by_label("Claim", exact=True).select_option("same")
    margin = block.locator(".asking-field", has=page.get_by_label("Margin (points)"))
    expect(margin.locator(".asking-problem")).to_contain_text("must be above 0")
    expect(block.get_by_label("Value", exact=True)).to_have_value("")
    block.get_by_role("button", name="Add a field").click()
    row = block.locator(".asking-row").last
    row.get_by_label("Field").select_option("recipe.lr")
    expect(row.get_by_label("Values")).to_have_value("0.1")
    row.get_by_label("Values").fill("")
    expect(row.locator(".asking-problem:visible")).to_have_text("Type the values, separated by commas.")
    row.get_by_role("button", name="Remove Learning rate").click()
    expect(block.locator(".asking-row")).to_have_count(1)


def test_a_grid_and_side_by_side(open_form: Open) -> None:
    page = open_form(FORM)
    block = asking(page)
    block.get_by_role("button", name="Add a field").click()
    row = block.locator(".asking-row").last
    row.get_by_label("Field").select_option("recipe.lr")
    row.get_by_label("Values").fill("0.1, 1/100")
    expect(told(block)).to_contain_text("12 runs: 4 settings × 3 replicates.")
    block.get_by_label("Combine the fields").select_option("side by side")
    expect(told(block)).to_contain_text("6 runs: 2 settings × 3 replicates.")
    block.get_by_text("The same as YAML, or paste your own").click()
    expect(block.get_by_role("region", name="The question as YAML")).to_contain_text("layout: side by side")


def test_yaml_fills_in_the_form_and_the_question(open_form: Open) -> None:
    page = open_form(FORM)
    block = asking(page)
    block.get_by_text("The same as YAML, or paste your own").click()
    block.get_by_label("Paste a question").fill(YAML)
    block.get_by_role("button", name="Fill in the question").click()
    page.wait_for_url("**/train?architecture=resnet-20*")
    block = page.locator("#ask")
    expect(block.get_by_label("Title")).to_have_value("Two rates")
    expect(block.get_by_label("Replicates")).to_have_value("4")
    expect(block.get_by_label("Seed of the order")).to_have_value("9")
    expect(block.get_by_label("Value", exact=True)).to_have_value("")
    expect(told(block)).to_contain_text("8 runs: 2 settings × 4 replicates.")
    expect(told(block)).to_contain_text("no two values of recipe.lr differ by more than 5 points")
    shown = page.evaluate("import('/static/pages/train/form.js').then((form) => form.current)")
    assert (shown["policy"], shown["epochs"]) == ("output", 3), json.dumps(shown)


def test_the_forms_webhook_goes_with_the_question_too(open_form: Open, watch: Watch) -> None:
    watch.expected.append("422")
    page = open_form(FORM)
    sent: list[str | None] = []

    def refuse(route: Route) -> None:
        sent.append(route.request.header_value("x-webhook"))
        route.fulfill(status=422, json={"detail": "This is a test."})

    page.route("**/api/studies", refuse)
    page.get_by_role("button", name="Recipe and more").click()
    page.get_by_label("Webhook (optional)").fill("https://example.org/told")
    block = asking(page)
    block.get_by_label("Title").fill("Who hears of it?")
    expect(told(block)).to_contain_text("6 runs")
    block.get_by_role("button", name="Launch all runs").press("Enter")
    expect(block.get_by_role("alert").filter(has_text="This is a test.")).to_be_visible()
    assert sent == ["https://example.org/told"]

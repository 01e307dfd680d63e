"""Names, notes and tags: changed on the page of an own run, found again among all runs."""

from __future__ import annotations

from playwright.sync_api import expect

from core.run.spec import RunSpec
from core.studies.catalog.table import study_spec
from tests.browser.conftest import Open, Watch
from tests.browser.puppet import SPEC, Puppet
from tests.browser.test_actions import own

EDIT = "Rename, tag or add a note"


def test_an_own_run_is_renamed_tagged_and_found_again(open_page: Open, puppet: Puppet, watch: Watch) -> None:
    watch.expected.append("422")
    run_id, token = puppet.start()
    puppet.finish(run_id)
    page = open_page(f"/run?id={run_id}")
    expect(page.locator("h1")).to_have_text("ResNet-14 · BatchNorm only · Digits")
    expect(page.get_by_role("button", name=EDIT)).to_be_hidden()
    own(page, run_id, token)
    page.get_by_role("button", name=EDIT).click()
    form = page.get_by_role("form", name="Name, tags and note")
    form.get_by_label("Name").fill("My favourite")
    form.get_by_label("Tags").fill("Depth, no/slash")
    form.get_by_label("Note").fill("Two\nlines of <b>text</b>")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("a tag is a word")
    form.get_by_label("Tags").fill("Depth, first-try")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    expect(page.get_by_role("button", name=EDIT)).to_be_focused()
    expect(page.locator("h1")).to_have_text("My favourite")
    expect(page.locator(".run-note")).to_have_text("Two\nlines of <b>text</b>")
    stranger = open_page(f"/run?id={run_id}")
    expect(stranger.locator("h1")).to_have_text("My favourite")
    expect(stranger.get_by_role("button", name=EDIT)).to_be_hidden()
    stranger.locator(".run-tags").get_by_role("link", name="first-try").click()
    expect(stranger.locator(".runs-table tbody tr")).to_have_count(1)
    expect(stranger.locator(".run-name a").first).to_have_text("My favourite")
    expect(stranger.get_by_label("Tag", exact=True)).to_have_value("first-try")
    stranger.get_by_label("Tag", exact=True).select_option("")
    stranger.get_by_label("Find by name, id or tag").fill("DEPTH")
    expect(stranger.locator(".runs-table tbody tr")).to_have_count(1)


def test_runs_stand_together_by_study_and_by_question(open_page: Open, puppet: Puppet) -> None:
    puppet.done(name="Alone")
    puppet.store.runs.submit(RunSpec.model_validate({**SPEC, "name": "Asked"}), question="depth")
    study = puppet.store.studies.launch(study_spec("random-k", "minutes"))
    page = open_page("/runs?group=question")
    heads = page.locator(".group-row")
    expect(heads.first).to_have_text("Does depth help random features?")
    expect(page.locator(".group-row + tr").first).to_contain_text("Asked")
    page.get_by_label("Group", exact=True).select_option("study")
    expect(heads.first).to_contain_text("Compare these")
    assert "group=study" in page.url
    heads.first.get_by_role("link", name="Compare these").click()
    page.wait_for_url(f"**/compare?study={study.id}")


def test_mine_are_the_runs_of_this_browser(open_page: Open, puppet: Puppet) -> None:
    puppet.done(name="Of somebody else")
    page = open_page("/runs")
    expect(page.locator(".runs-table tbody tr").first).to_be_visible()
    page.get_by_role("button", name="Mine").click()
    expect(page.get_by_text("No run matches these filters.")).to_be_visible()
    assert "mine=true" in page.url
    page.reload()
    expect(page.get_by_role("button", name="Mine")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Mine").click()
    expect(page.locator(".runs-table tbody tr").first).to_be_visible()

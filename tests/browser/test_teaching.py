"""The Train page teaches: questions that run in a click, a network part by part, a spec as text and as a link."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from playwright.sync_api import expect

from app.form.experiments import EXPERIMENTS
from core.run.spec import RunSpec
from tests.browser.conftest import Open, Watch
from tests.browser.puppet import Puppet
from tests.browser.train_page import choice, kind, query


def test_a_question_is_one_click_from_its_curves(open_page: Open, puppet: Puppet) -> None:
    page = open_page("/")
    wanted = EXPERIMENTS["depth"]
    card = page.locator(".experiments li").filter(has_text=wanted.sentence)
    expect(card.locator('[data-slot="takes"]')).to_contain_text("here")
    card.get_by_role("button", name="Run all three").click()
    page.wait_for_url("**/compare?question=depth&runs=*")
    expect(page.get_by_role("heading", level=1)).to_have_text(wanted.sentence)
    ids = query(page)["runs"].split(",")
    runs = puppet.store.runs.many(ids)
    assert [runs[run_id].spec for run_id in ids] == [RunSpec.model_validate(run) for run in wanted.runs]
    for run_id in ids:
        puppet.store.runs.cancel(run_id)


def test_the_parts_say_what_trains(open_page: Open) -> None:
    page = open_page("/train")
    parts = page.locator('[data-slot="parts"] li')
    expect(parts.filter(has_text="γ of the norm layers")).to_have_text("γ of the norm layers560train")
    expect(parts.filter(has_text="Output layer")).to_have_attribute("data-look", "frozen")
    kind(page, "Random weights").check()
    expect(parts.first).to_contain_text("of 170,640 train")
    kind(page, "Layers").check()
    choice(page, "Shortcuts").check()
    expect(parts.filter(has_text="Shortcut convolutions")).to_have_attribute("data-look", "lit")


def test_a_spec_goes_out_as_text_and_comes_back(open_page: Open, watch: Watch) -> None:
    watch.expected.append("422")
    page = open_page("/train?policy=gamma&lr=0.05")
    page.get_by_text("The same as YAML or JSON").click()
    text = page.locator(".spec-text")
    expect(text).to_contain_text("recipe: {lr: 0.05}")
    page.get_by_role("button", name="JSON", exact=True).click()
    assert json.loads(text.inner_text())["policy"] == "gamma"
    field = page.get_by_label("Paste a spec")
    field.fill("architecture: resnet-14\npolicy: wishes\ndataset: digits\nepochs: 3")
    page.get_by_role("button", name="Fill in the form").click()
    expect(page.get_by_role("alert").filter(has_text="policy: ")).to_be_visible()
    written = b"architecture: resnet-20\npolicy: output\ndataset: digits\nepochs: 40\nrecipe:\n  momentum: 0.5\n"
    page.locator('input[accept^=".yaml"]').set_input_files(
        {"name": "mine.yaml", "mimeType": "text/yaml", "buffer": written}
    )
    page.wait_for_url("**architecture=resnet-20**")
    assert query(page) == {"architecture": "resnet-20", "policy": "output", "momentum": "0.5"}
    expect(page.locator('[data-slot="trainable"]')).to_have_text("650")


def test_a_link_says_only_what_is_special_and_never_loses_anything_silently(open_page: Open) -> None:
    page = open_page("/train?epochs=soon&wishes=3&nesterov=perhaps")
    note = page.locator('[data-slot="link-note"]')
    expect(note).to_contain_text("no field “wishes” and no epochs of “soon” and no nesterov of “perhaps”")
    page = open_page("/train?epochs=7", page=page)
    page.get_by_label("Epochs").fill("40")
    page.get_by_label("Epochs").blur()
    page.wait_for_function("location.search === ''")
    page.get_by_label("Epochs").fill("9")
    page.get_by_label("Epochs").blur()
    page.wait_for_function("location.search === '?epochs=9'")
    page.reload()
    expect(page.get_by_label("Epochs")).to_have_value("9")
    assert urlsplit(page.url).query == "epochs=9"


def test_a_finished_run_shows_which_layers_are_off(open_page: Open, puppet: Puppet) -> None:
    page = open_page(f"/run?id={puppet.done()}")
    expect(page.get_by_role("img", name="The network, coloured by its share of disabled features")).to_be_visible()
    assert page.locator(".network path.off-3").count() == 1
    expect(page.locator(".legend").filter(has_text="|γ| ≈ 0")).to_be_visible()
    page.get_by_label("Data of the chart The network").click()
    numbers = page.get_by_role("region", name="Data: The network")
    expect(numbers.locator("tbody tr")).to_have_count(15)
    expect(numbers.locator("tbody tr").first).to_have_text(re.compile(r"^stem\.normstem16\d+[\d.]+%$"))
    page.get_by_role("group", name="What the picture shows").get_by_role("button", name="What trains").click()
    expect(numbers).to_be_hidden()
    expect(page.locator(".network path.norm.lit")).to_have_count(1)

"""The Train page: the form, what it says about a run before it runs, and the launch."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from playwright.sync_api import expect

from core.run.spec import RunSpec
from tests.browser.conftest import Open, Watch
from tests.browser.puppet import Puppet
from tests.browser.train_page import choice, depth, kind, lit, query


def test_the_first_look_says_what_would_train(open_page: Open) -> None:
    page = open_page("/train")
    expect(page.locator('[data-slot="trainable"]')).to_have_text("1,120")
    expect(page.locator('[data-slot="total"]')).to_have_text("174,970")
    expect(page.locator('[data-slot="time"]')).not_to_have_text("–")
    expect(page.locator('[data-slot="policy-hint"]')).to_contain_text("γ and β of every BatchNorm layer")
    assert lit(page) == {"norm"}
    assert urlsplit(page.url).query == ""
    shown = page.locator("#form input:visible, #form fieldset:visible")
    assert shown.count() < 60, "the rare choices are a click away"
    expect(page.locator("#policy-parts fieldset:visible")).to_have_count(1)


def test_a_change_shows_everywhere_at_once(open_page: Open) -> None:
    page = open_page("/train")
    depth(page, "110").check()
    expect(page.locator('[data-slot="title"]')).to_have_text("ResNet-110")
    expect(page.locator('[data-slot="trainable"]')).to_have_text("8,288")
    kind(page, "References").check()
    choice(page, "All parameters").check()
    expect(page.locator('[data-slot="share"]')).to_contain_text("100")
    expect(page.locator('[data-slot="policy-hint"]')).to_contain_text("Trains every parameter")
    expect(page.locator(".network path.conv.lit")).to_have_count(1)
    assert query(page)["architecture"] == "resnet-110" and query(page)["policy"] == "all"
    page.get_by_text("The same from the command line").click()
    expect(page.locator('[data-slot="cli"]')).to_contain_text("--architecture resnet-110 --policy all")


def test_another_family_has_its_own_numbers(open_page: Open) -> None:
    page = open_page("/train")
    page.get_by_label("Wide ResNet").check()
    depth(page, "8").check()
    expect(page.locator('[data-slot="title"]')).to_have_text("WRN-14-8")
    assert query(page)["architecture"] == "wrn-14-8"


def test_the_deepest_network_is_a_picture_of_few_nodes(open_page: Open) -> None:
    page = open_page("/train?architecture=resnet-866&policy=random-8&dataset=cifar-10")
    expect(page.locator('[data-slot="title"]')).to_have_text("ResNet-866")
    expect(page.locator(".network")).to_have_attribute(
        "aria-label",
        "A network of 432 residual blocks in 3 stages. "
        "Highlighted, because it trains: some weights of every convolution.",
    )
    assert page.locator(".network *").count() < 20


def test_the_url_is_the_form(open_page: Open) -> None:
    page = open_page(
        "/train?architecture=resnet-26&policy=random-3&dataset=fashion-mnist&epochs=7&train_examples=1000&lr=0.05&name=Try+1"
    )
    expect(page.locator('[data-slot="title"]')).to_have_text("ResNet-26")
    expect(page.get_by_label("Other depth or width")).to_have_value("26")
    expect(page.get_by_label("Other, 1 to 128")).to_have_value("3")
    expect(page.get_by_label("Fashion-MNIST")).to_be_checked()
    expect(page.get_by_label("Epochs")).to_have_value("7")
    page.get_by_label("Replicate").fill("2")
    page.get_by_label("Replicate").blur()
    page.wait_for_url("**replicate=2**")
    wanted = {
        "architecture": "resnet-26",
        "policy": "random-3",
        "dataset": "fashion-mnist",
        "epochs": "7",
        "replicate": "2",
        "train_examples": "1000",
        "lr": "0.05",
        "name": "Try 1",
    }
    assert query(page) == wanted


def test_what_cannot_run_is_said_and_cannot_be_launched(open_page: Open, watch: Watch) -> None:
    watch.expected.append("422")
    page = open_page("/train?architecture=resnet-15&policy=batchnorm&dataset=digits&epochs=3")
    expect(page.locator('[data-slot="problem"]')).to_contain_text("resnet-14 and resnet-20")
    expect(page.get_by_role("button", name="Launch", exact=True)).to_be_disabled()
    depth(page, "14").check()
    expect(page.locator('[data-slot="problem"]')).to_be_hidden()
    expect(page.get_by_role("button", name="Launch", exact=True)).to_be_enabled()


def test_a_link_to_what_this_server_lacks_says_so(open_page: Open) -> None:
    page = open_page("/train?architecture=vit-12&policy=wishes&dataset=digits&epochs=3")
    expect(page.locator('[data-slot="link-note"]')).to_contain_text("no architecture “vit-12” and no policy “wishes”")


def test_launch_opens_the_run_with_exactly_the_forms_spec(open_page: Open, puppet: Puppet) -> None:
    page = open_page("/train?architecture=resnet-20&policy=output&dataset=digits&epochs=3&replicate=4&momentum=0.5")
    expect(page.locator('[data-slot="trainable"]')).to_have_text("650")
    page.get_by_role("button", name="Launch", exact=True).click()
    page.wait_for_url("**/run?id=*")
    run_id = query(page)["id"]
    expect(page.locator(".run-title")).to_contain_text("ResNet-20 · Output layer only · Digits")
    expect(page.locator(".run-title .badge")).to_have_text("Queued")
    run = puppet.store.runs.get(run_id)
    assert run is not None
    spec = {"architecture": "resnet-20", "policy": "output", "dataset": "digits", "epochs": 3, "replicate": 4}
    assert run.spec == RunSpec.model_validate({**spec, "recipe": {"momentum": 0.5}})
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".run-title .badge")).to_have_text("Cancelled")


def test_the_server_says_no_and_the_button_works_again(open_page: Open, watch: Watch) -> None:
    watch.expected.append("429")
    page = open_page("/train")
    refusal = json.dumps({"detail": "200 runs are waiting already: try again later."})
    page.route("**/api/runs", lambda route: route.fulfill(status=429, body=refusal, content_type="application/json"))
    expect(page.locator('[data-slot="trainable"]')).to_have_text("1,120")
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="try again later")).to_be_visible()
    expect(page.get_by_role("button", name="Launch", exact=True)).to_be_enabled()


def test_launching_needs_no_mouse(open_page: Open, puppet: Puppet) -> None:
    page = open_page("/train")
    expect(page.locator('[data-slot="trainable"]')).to_have_text("1,120")
    kind(page, "Norm layers").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator('[data-slot="trainable"]')).to_have_text("650")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('fieldset').id") == "field-layers"
    page.keyboard.press("Space")
    expect(page.locator('[data-slot="trainable"]')).to_have_text("1,770")
    kind(page, "Layers").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator('[data-slot="trainable"]')).to_have_text("1,120")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "launch":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/run?id=*")
    puppet.claim(query(page)["id"])
    puppet.finish(query(page)["id"])
